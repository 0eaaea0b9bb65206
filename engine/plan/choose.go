package plan

import "errors"

// Choose returns the first plan that fits the budget. candidates gives plan i, from the cheapest in time to the smallest in
// memory, and false when there are no more. When none fits the error is a *TooSmallError with the smallest budget, in
// whole MiB, under which one of these plans would have fitted: it does fit when tried again as long as a larger budget
// never makes the smallest candidate larger.
func Choose(budget int64, candidates func(i int) (*Job, bool)) (*Job, error) {
	const mib = 1 << 20
	var smallest *Job
	for i := 0; ; i++ {
		job, ok := candidates(i)
		if !ok {
			break
		}
		if job.Peak() <= budget {
			job.Budget = budget
			return job, nil
		}
		if smallest == nil || job.Peak() < smallest.Peak() {
			smallest = job
		}
	}
	if smallest == nil {
		return nil, errors.New("plan the job: there is no plan to choose from")
	}
	return nil, &TooSmallError{Budget: budget, Smallest: (smallest.Peak() + mib - 1) / mib * mib, Stage: smallest.largest()}
}

// largest names the stage that sets the peak.
func (j *Job) largest() string {
	name, peak := "the baseline", int64(0)
	for i := range j.Stages {
		if p := j.Stages[i].Peak(); p > peak {
			name, peak = j.Stages[i].Name, p
		}
	}
	return name
}
