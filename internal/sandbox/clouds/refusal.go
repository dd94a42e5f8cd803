package clouds

import (
	"errors"
	"fmt"
)

// refusal is what a cloud answers to a request it will not carry out: only a
// change of the object helps, so that it is not tried again until then.
type refusal struct{ reason, message string }

// Refuse makes such an answer of a reason, in one word, and a message.
func Refuse(reason, format string, args ...any) error {
	return &refusal{reason: reason, message: fmt.Sprintf(format, args...)}
}

func (r *refusal) Error() string { return r.reason + ": " + r.message }

// waiting is what an object needs before it can go on. A watch on that brings
// the object back.
type waiting struct{ reason, message string }

func waitFor(reason, format string, args ...any) error {
	return &waiting{reason: reason, message: fmt.Sprintf(format, args...)}
}

func (w *waiting) Error() string { return w.reason + ": " + w.message }

// readiness says err as the status of a Ready condition.
func readiness(err error) (status, severity, reason, message string) {
	var refused *refusal
	var waits *waiting
	switch {
	case err == nil:
		return "True", "", "", ""
	case errors.As(err, &refused):
		return "False", "Error", refused.reason, refused.message
	case errors.As(err, &waits):
		return "False", "Info", waits.reason, waits.message
	}
	return "False", "Warning", "Failed", err.Error()
}

// retryable keeps the errors that a repetition may mend.
func retryable(err error) error {
	var refused *refusal
	var waits *waiting
	if errors.As(err, &refused) || errors.As(err, &waits) {
		return nil
	}
	return err
}
