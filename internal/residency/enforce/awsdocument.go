package enforce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const (
	// controlPolicySize is how long a service control policy may be, in bytes.
	controlPolicySize = 5120
	// controlPolicies is how many may be attached to an account or a unit. One
	// place is taken: by FullAWSAccess or whatever else allows things.
	controlPolicies = 5 - 1
)

// statement of a service control policy.
type statement struct {
	Sid       string                    `json:"Sid"`
	Effect    string                    `json:"Effect"`
	Action    []string                  `json:"Action,omitempty"`
	NotAction []string                  `json:"NotAction,omitempty"`
	Resource  string                    `json:"Resource"`
	Condition map[string]map[string]any `json:"Condition,omitempty"`

	operator string // that compares the region; StringNotEquals when empty
	given    bool   // only requests that name a region
}

// document of a service control policy.
type document struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

func encoded(statements []statement) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document{Version: "2012-10-17", Statement: statements}); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "encode the policy: %w", err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// packed parts statements into as few policies as they fit in, in their order.
func packed(statements []statement) ([]File, error) {
	var files []File
	for len(statements) > 0 {
		count, content := 0, []byte(nil)
		for count < len(statements) {
			longer, err := encoded(statements[:count+1])
			if err != nil {
				return nil, err
			}
			if len(longer) > controlPolicySize {
				break
			}
			count, content = count+1, longer
		}
		if count == 0 {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the statement %s alone is longer than the %d characters a service control policy may have", statements[0].Sid, controlPolicySize).
				Advise("name fewer break-glass roles and global services, or compile for fewer facets")
		}
		files = append(files, File{Path: fmt.Sprintf("residency-%d.json", len(files)+1), Content: content})
		statements = statements[count:]
	}
	if len(files) > controlPolicies {
		return nil, fleet.Errorf(fleet.ErrInvalid, "it takes %d service control policies, and %d can be attached besides the one that allows", len(files), controlPolicies).
			Advise("compile for fewer facets, and attach what comes of each to another level of the organization: they add up")
	}
	return files, nil
}

var (
	principalPattern = regexp.MustCompile(`^arn:[a-z0-9-]+:(iam|sts)::(\*|[0-9]{12}):[A-Za-z0-9+=,.@_/*?-]+$`)
	actionPattern    = regexp.MustCompile(`^[a-z0-9-]+:([A-Za-z0-9]+\*?|\*)$`)
)

// check looks at the settings.
func (w *controlPolicy) check() error {
	for i, arn := range w.settings.BreakGlass {
		switch {
		case !principalPattern.MatchString(arn):
			return fleet.Errorf(fleet.ErrInvalid, "%q is no ARN of roles or users", arn).At(fleet.Position{}, fmt.Sprintf("aws.breakGlass[%d]", i)).
				Advise("want one like arn:%s:iam::*:role/break-glass", w.where)
		case !strings.HasPrefix(arn, "arn:"+w.where+":"):
			return fleet.Errorf(fleet.ErrInvalid, "%q is in another partition than the account's, %s", arn, w.where).At(fleet.Position{}, fmt.Sprintf("aws.breakGlass[%d]", i))
		case everybody(arn):
			return fleet.Errorf(fleet.ErrInvalid, "%q is everybody, so that nothing would be refused", arn).At(fleet.Position{}, fmt.Sprintf("aws.breakGlass[%d]", i)).
				Advise("name the roles, such as arn:%s:iam::*:role/break-glass", w.where)
		}
	}
	for i, action := range w.settings.GlobalServices {
		if !actionPattern.MatchString(action) {
			return fleet.Errorf(fleet.ErrInvalid, "%q is no action", action).At(fleet.Position{}, fmt.Sprintf("aws.globalServices[%d]", i)).
				Advise("want one like cloudfront:*")
		}
	}
	if !slices.ContainsFunc(w.input.Catalog.Regions(), w.inPartition) {
		return fleet.Errorf(fleet.ErrInvalid, "%q is no partition of AWS", w.where).At(fleet.Position{}, "aws.partition").
			Advise("want aws, aws-cn, aws-us-gov or aws-eusc")
	}
	return nil
}

// everybody reports whether a pattern is of any role's or any user's name.
func everybody(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return slices.ContainsFunc([]string{"role:nobody-has-this-name", "user:nobody-has-this-name"}, func(name string) bool {
		matches, err := path.Match(strings.ReplaceAll(parts[5], "/", ":"), name)
		return matches || err != nil
	})
}

// left are the residuals of what the settings let pass.
func (settings AWS) left() []Residual {
	var list []Residual
	if len(settings.BreakGlass) > 0 {
		list = append(list, Residual{Reason: fmt.Sprintf("%s: not held by it, nor is whoever can assume, or make, a role or user of such a name; see that few can",
			strings.Join(settings.BreakGlass, ", "))})
	}
	if len(settings.GlobalServices) > 0 {
		list = append(list, Residual{Reason: fmt.Sprintf("%s: may be called in every region, as asked for; where what they hold is, is not kept",
			strings.Join(settings.GlobalServices, ", "))})
	}
	return list
}

// partitionRegions are the ids of all regions of the partition.
func (p *purpose) partitionRegions() []string {
	var ids []string
	for _, name := range p.input.Catalog.Regions() {
		if facts, _ := p.input.Catalog.Region(name); p.inPartition(name) {
			ids = append(ids, facts.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func (p *purpose) inPartition(name string) bool {
	facts, _ := p.input.Catalog.Region(name)
	return facts.Provider == p.provider && facts.Partition == p.where
}
