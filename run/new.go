package run

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// New makes the job of the task that the options describe: it resolves the settings, then makes and locks the run directory. Close
// the job after use.
func New(m Task, o Options) (*Job, error) {
	if err := kernel.LevelError(); err != nil {
		return nil, Usagef("%w", err)
	}
	if o.PlanOnly {
		config, err := Resolve(m.Spec(), o.Sources)
		if err != nil {
			return nil, err
		}
		return newJob(m, config, o, nil)
	}
	if o.Resume {
		if o.Out == "" {
			return nil, Usagef("--resume needs --out, the run to go on with")
		}
		if _, err := os.Stat(filepath.Join(o.Out, configName)); !errors.Is(err, fs.ErrNotExist) {
			return resume(m, o)
		}
		o.Progress.Infof("there is no run in %s to go on with; a new one begins", o.Out)
	}
	return begin(m, o)
}

// begin begins a new run.
func begin(m Task, o Options) (*Job, error) {
	config, err := Resolve(m.Spec(), o.Sources)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var dir *Dir
	if o.Out == "" {
		dir, err = newDir(config.Model, config.String("data"), now)
	} else {
		dir, err = openDir(o.Out, false)
	}
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		dir.Close()
		return nil, err
	}
	job, err := newJob(m, config, o, dir)
	if err == nil {
		job.provenance = Provenance{Seraph: o.Version, Started: now.Truncate(time.Second), Directory: cwd, Command: o.Command}
		job.environment = ThisEnvironment(o.Version)
		err = job.environment.write(dir)
	}
	if err == nil {
		err = config.write(dir.File(configName), job.provenance)
	}
	if err == nil {
		err = job.openTrials()
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return job, nil
}

// resume goes on with the run in o.Out.
func resume(m Task, o Options) (*Job, error) {
	dir, err := openDir(o.Out, true)
	if err != nil {
		return nil, err
	}
	job, err := reopen(m, o, dir, OfMachine)
	if err == nil {
		err = dir.tidy()
	}
	if err == nil {
		job.resumed = true
		err = job.checkBits(o.AllowOtherBits)
	}
	if err == nil {
		err = job.Config.write(dir.File(configName), job.provenance)
	}
	if err == nil {
		err = job.openTrials()
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return job, nil
}

// Open makes a job that applies the trained model in a run directory: with its settings, but for those of the data and the
// machine, which come from the sources. Without --data in them, Data is empty. Close the job after use.
func Open(m Model, path string, o Options) (*Job, error) {
	if err := kernel.LevelError(); err != nil {
		return nil, Usagef("%w", err)
	}
	return reopen(m, o, &Dir{Path: path}, OfMachine, OfData)
}

// ModelOf returns the name of the model in a run directory.
func ModelOf(path string) (string, error) {
	r, err := readRecord(path)
	if err != nil {
		return "", err
	}
	return r.model, nil
}

// reopen makes a job of the settings in a run directory; those of some scopes may be given anew.
func reopen(m Task, o Options, dir *Dir, may ...Scope) (*Job, error) {
	r, err := readRecord(dir.Path)
	if err != nil {
		return nil, err
	}
	trained := r.settings["data"]
	if dir.lock == nil { // to be applied: what it was trained on does not matter
		delete(r.settings, "data")
	}
	config, err := r.again(m.Spec(), o.Sources, may...)
	if err != nil {
		return nil, err
	}
	job, err := newJob(m, config, o, dir)
	if err != nil {
		return nil, err
	}
	job.provenance = r.run
	if job.environment, err = readEnvironment(dir); err != nil {
		return nil, err
	}
	if dir.lock != nil { // to be trained further: its paths count from where it was started
		if cwd, err := os.Getwd(); err == nil && cwd != r.run.Directory {
			job.base = r.run.Directory
		}
		job.Data = job.Path(trained)
	}
	return job, nil
}

// newJob fills in the fields that stand for common settings.
func newJob(m Task, config *Config, o Options, dir *Dir) (*Job, error) {
	job := &Job{
		Config:          config,
		Data:            config.String("data"),
		Memory:          config.Bytes("memory"),
		Threads:         config.Int("threads"),
		Seed:            uint64(config.Int("seed")),
		Seeds:           config.Int("seeds"),
		Precision:       config.String("precision"),
		CheckpointEvery: config.Int("checkpoint-every"),
		Dir:             dir,
		Interrupt:       o.Interrupt,
		Progress:        o.Progress,
		task:            m,
		started:         time.Now(),
	}
	if text := config.String("disk"); text != "" {
		disk, err := memory.ParseDisk(text)
		if err != nil {
			return nil, Usagef("--disk: %w", err)
		}
		job.Disk = disk
	}
	return job, nil
}
