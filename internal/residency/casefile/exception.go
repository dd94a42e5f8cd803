package casefile

import (
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// exceptionDocument is an Exception as Meridian writes it out, with what became
// of it.
type exceptionDocument struct {
	APIVersion string                `json:"apiVersion"`
	Kind       fleet.Kind            `json:"kind"`
	Metadata   fleet.Metadata        `json:"metadata"`
	Spec       fleet.ExceptionSpec   `json:"spec"`
	Status     fleet.ExceptionStatus `json:"status"`
}

func readException(part manifest.Part) (document, error) {
	content, index, err := manifest.DecodePart[exceptionDocument](part)
	f := newFaults(index, err)
	f.object = fleet.Ref{Kind: fleet.KindException, Name: content.Metadata.Name}.String()
	if content.APIVersion != fleet.APIVersion {
		f.note("apiVersion", "want %s, got %q", fleet.APIVersion, content.APIVersion)
	}
	if content.Metadata.Name == "" {
		f.note("metadata.name", "is missing")
	}
	for _, problem := range residency.ValidateException(content.Spec) {
		f.note(problem.Field, "%s", problem.Message).Hint = problem.Hint
	}
	checkStatus(f, "status.", content.Status)
	if err := inOrder(f.list...); err != nil {
		return document{}, err
	}
	resource, err := fleet.NewResource(fleet.KindException, content.Metadata.Name, content.Spec, content.Status)
	if err != nil {
		return document{}, err
	}
	return document{resource: resource, at: index.Position}, nil
}

// checkStatus checks who did what about an exception, and when. The fields are
// named with what stands before them.
func checkStatus(f *faults, before string, status fleet.ExceptionStatus) {
	for i, approval := range status.Approvals {
		field := manifest.Element(before+"approvals", i)
		if approval.By == "" {
			f.note(field+".by", "is missing").Advise("who approved")
		}
		checkInstant(f, field+".at", approval.At, true)
	}
	checkInstant(f, before+"requestedAt", status.RequestedAt, false)
	checkInstant(f, before+"revokedAt", status.RevokedAt, status.RevokedBy != "")
}

// checkInstant wants an instant, or a date that exists.
func checkInstant(f *faults, field, text string, needed bool) {
	if text == "" {
		if needed {
			f.note(field, "is missing").Advise("an instant such as 2026-01-02T09:00:00Z, or a date")
		}
		return
	}
	if _, err := residency.ParseInstant(text); err != nil {
		f.note(field, "%q is no instant", text).Advise("an instant such as 2026-01-02T09:00:00Z, or a date that exists")
	}
}
