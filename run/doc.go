// Package run carries a job from its settings to its result, the same way for every model.
//
//   - A model describes itself in a [Spec] and implements [Model]; one that can be sampled from implements [Generator] too.
//   - [New] resolves every setting with its origin (flag > environment > seraph.toml > preset > default), opens and locks the
//     run directory and gives a [Job]; [Job.Train] runs it; [Train] is both, for Go programs and tests. [Open] is New for a
//     run that is trained already: predict, generate, serve.
//   - Inside Model.Train the job records the plan ([Job.SetPlan]), shows progress ([Job.Stage]), and hands out one [Trial] a
//     seed ([Job.Trials]), which keeps metrics, checkpoints and the trained model. What was finished before an
//     interruption is not done again.
//
// A run directory:
//
//	config.toml          every setting resolved, with where it came from
//	environment.json     processor, kernel level, memory, versions
//	plan.json            the plan that was executed, predicted and actual; plan-import.json: the one made before the import
//	metrics.jsonl        one line a step or epoch; with --seeds one line a seed; events.out.tfevents.* beside it
//	checkpoints/STEP/    safetensors, state.json and MANIFEST.json; the newest two
//	seeds/S/             with --seeds: metrics, checkpoints and model of each seed
//	trial.json           what a seed came to; its presence says that the seed is done
//	result.json          what the job came to; its presence says that the job is done
//	model/               the trained model; with --seeds that of the best seed on validation (ties: the lowest)
//	report.html          the run on one page that needs nothing else
//	README.md            the model card
package run
