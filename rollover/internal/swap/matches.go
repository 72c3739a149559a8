package swap

// Matches compares what is installed with an entry: content, owner and mode of
// every target. It returns a problem for each that differs; none means that a
// Switch to the entry would change nothing but the live symlink.
func (h Host) Matches(entryDir string) ([]Problem, error) {
	e, err := readEntry(entryDir)
	if err != nil {
		return nil, h.stopped(StepLoad, err)
	}
	changes, err := h.changesTo(e)
	if err != nil {
		return nil, h.stopped(StepInstall, err)
	}
	var problems []Problem
	for _, c := range changes {
		if !c.holds() {
			problems = append(problems, complaint{CodeDiffers, Warning, c.at(), "not what was installed there",
				"somebody changed it; rollover installs it again"}.problem())
		}
	}
	return problems, nil
}
