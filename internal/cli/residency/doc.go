// Package residency holds the verbs of a compliance officer: check, where and
// explain answer whether data may be somewhere; list, history and audit say
// where it is and was, and what is out of line; report makes the file for the
// auditor; test runs cases offline; facts and regions show what rules can look
// at. It asks the daemon and says the answers in plain words.
package residency
