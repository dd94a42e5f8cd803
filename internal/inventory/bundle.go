package inventory

import (
	"context"
	"database/sql"
	"errors"
	"regexp"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// PutBundle implements Store.
func (d *database) PutBundle(ctx context.Context, actor string, bundle Bundle, options ApplyOptions) (Outcome, error) {
	outcomes, err := d.ApplyAll(ctx, actor, nil, []Bundle{bundle}, options)
	if err != nil {
		return Outcome{}, err
	}
	return outcomes[0], nil
}

// checkBundle refuses a bundle whose parts do not belong together.
func checkBundle(bundle Bundle) (Bundle, error) {
	resource, err := normalise(bundle.Resource)
	if err != nil {
		return Bundle{}, err
	}
	object := resource.Ref().String()
	if _, _, ok := fleet.SplitBaseline(resource.Metadata.Name); !ok || resource.Kind != fleet.KindBaseline {
		return Bundle{}, fleet.Errorf(fleet.ErrInvalid, "want a Baseline named NAME@VERSION").On(object)
	}
	if !digestForm.MatchString(bundle.Digest) {
		return Bundle{}, fleet.Errorf(fleet.ErrInvalid, "want a digest sha256:HEX, got %q", bundle.Digest).On(object)
	}
	status, err := fleet.StatusOf[fleet.BaselineStatus](resource)
	if err != nil {
		return Bundle{}, err
	}
	if status.Digest != bundle.Digest {
		return Bundle{}, fleet.Errorf(fleet.ErrInvalid, "status names digest %q, the bundle has %q", status.Digest, bundle.Digest).On(object)
	}
	if bundle.Content == nil {
		bundle.Content = []byte{}
	}
	bundle.Resource = resource
	return bundle, nil
}

// putAll stores bundles and reports every one that conflicts.
func (tx *transaction) putAll(ctx context.Context, bundles []Bundle) ([]Outcome, error) {
	var outcomes []Outcome
	var faults []error
	for _, bundle := range bundles {
		action, err := tx.put(ctx, bundle)
		if err != nil && !errors.Is(err, fleet.ErrConflict) {
			return nil, err
		}
		faults = append(faults, err)
		outcomes = append(outcomes, Outcome{Ref: bundle.Resource.Ref(), Action: action})
	}
	return outcomes, errors.Join(faults...)
}

func (tx *transaction) put(ctx context.Context, bundle Bundle) (string, error) {
	ref := bundle.Resource.Ref()
	var digest string
	err := tx.QueryRowContext(ctx, "SELECT digest FROM bundles WHERE name = $1", ref.Name).Scan(&digest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, "INSERT INTO bundles (name, digest, content) VALUES ($1, $2, $3)", ref.Name, bundle.Digest, bundle.Content)
	case err == nil && digest != bundle.Digest:
		err = fleet.Errorf(fleet.ErrConflict, "is stored with digest %s, this content has %s", digest, bundle.Digest).
			On(ref.String()).Advise("a version never changes: give the changed baseline a new version")
	}
	if err != nil {
		return "", err
	}
	if _, found, err := tx.find(ctx, ref); err != nil || found {
		return actionUnchanged, err
	}
	return actionCreated, tx.save(ctx, actionCreated, bundle.Resource)
}

// Bundle implements Store.
func (d *database) Bundle(ctx context.Context, nameVersion string) (Bundle, error) {
	ref := fleet.Ref{Kind: fleet.KindBaseline, Name: nameVersion}
	var document string
	var bundle Bundle
	err := d.read.QueryRowContext(ctx, `SELECT r.document, b.digest, b.content FROM resources r
		JOIN bundles b ON b.name = r.name WHERE r.kind = $1 AND r.name = $2`, string(ref.Kind), ref.Name).
		Scan(&document, &bundle.Digest, &bundle.Content)
	if errors.Is(err, sql.ErrNoRows) {
		return Bundle{}, notFound(ref)
	}
	if err == nil {
		bundle.Resource, err = decodeStored(ref, document)
	}
	return bundle, d.wrap(err, "read "+ref.String())
}
