// Package reasons draws the findings of a verdict together for people who read
// them: one entry for each rule, and one for all transfer rules of a policy,
// since any one of those grounds would have done.
package reasons
