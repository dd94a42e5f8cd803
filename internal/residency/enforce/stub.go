package enforce

func (c *Compiler) aws() (Output, error)   { return Output{}, nil }
func (c *Compiler) gcp() (Output, error)   { return Output{}, nil }
func (c *Compiler) azure() (Output, error) { return Output{}, nil }
