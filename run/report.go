package run

func (j *Job) writeReport(r *Result) error { return nil }
