package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// line is a command of a document and the exit codes it may end with.
type line struct {
	text  string
	codes []int
}

var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	exitCode   = regexp.MustCompile(`^# exit code (\d+)`)
	lastDay    = regexp.MustCompile(`^--until$`)
)

// guided are the commands in the shell blocks of a document. A comment before
// a command says with which exit code it ends, when that is not 0.
func guided(ts *testscript.TestScript, document string) []line {
	var lines []line
	want := 0
	for _, block := range shellBlock.FindAllStringSubmatch(document, -1) {
		for _, text := range strings.Split(strings.ReplaceAll(block[1], "\\\n", ""), "\n") {
			text = strings.TrimSpace(text)
			if match := exitCode.FindStringSubmatch(text); match != nil {
				want, _ = strconv.Atoi(match[1])
				continue
			}
			if !strings.HasPrefix(text, "fleetctl ") {
				continue
			}
			lines = append(lines, line{text, []int{want}})
			want = 0
		}
	}
	if len(lines) < 20 {
		ts.Fatalf("only %d commands in the document", len(lines))
	}
	return lines
}

// run runs a command as it stands. A day in the past, as the end of an
// exception, is replaced: documents get older.
func (l line) run(ts *testscript.TestScript) {
	arguments := words(l.text)
	for i := range arguments[1:] {
		if lastDay.MatchString(arguments[i]) && arguments[i+1] < time.Now().Format(time.DateOnly) {
			arguments[i+1] = ts.Getenv("NEXT_YEAR")
		}
	}
	code := 0
	if err := ts.Exec(arguments[0], arguments[1:]...); err != nil {
		match := regexp.MustCompile(`^exit status (\d+)$`).FindStringSubmatch(err.Error())
		if match == nil {
			ts.Fatalf("%s: %v", l.text, err)
		}
		code, _ = strconv.Atoi(match[1])
	}
	if !slices.Contains(l.codes, code) {
		ts.Fatalf("%s: exit code %d, not one of %v", l.text, code, l.codes)
	}
}

// examplesOf are the examples in the help of a noun's verbs, those of the
// named verbs first. They may find something unlawful.
func examplesOf(t *testing.T, noun string, first ...string) []line {
	t.Helper()
	var lines []line
	rank := func(verb string) int {
		if at := slices.Index(first, verb); at >= 0 {
			return at
		}
		return len(first)
	}
	commands := everyCommand(t)
	slices.SortStableFunc(commands, func(a, b *cobra.Command) int { return rank(a.Name()) - rank(b.Name()) })
	for _, cmd := range commands {
		if !cmd.HasParent() || cmd.Parent().Name() != noun {
			continue
		}
		for _, text := range strings.Split(cmd.Example, "\n") {
			if text = strings.TrimSpace(text); text != "" {
				codes := []int{0, 9}
				if strings.Contains(text, "--strict") {
					codes = append(codes, 1)
				}
				lines = append(lines, line{text, codes})
			}
		}
	}
	if len(lines) < 4 {
		t.Fatalf("%s has %d examples", noun, len(lines))
	}
	return lines
}

// runInShop runs commands in a folder with deploy, where the policies and data
// that come with Meridian are applied.
func runInShop(t *testing.T, script string, of func(*testscript.TestScript) []line) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run.txtar")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	deploy, err := filepath.Abs("../../deploy")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files: []string{file},
		Setup: func(env *testscript.Env) error {
			if err := os.Symlink(deploy, filepath.Join(env.WorkDir, "deploy")); err != nil {
				return err
			}
			return setUp(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"lines": func(ts *testscript.TestScript, _ bool, _ []string) {
				for _, one := range of(ts) {
					one.run(ts)
				}
			},
			"keys": keys,
		},
	})
}

// Every command of the guide for compliance officers runs as it is printed.
func TestGuideRuns(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/officer.md")
	if err != nil {
		t.Fatal(err)
	}
	runInShop(t, "lines\n", func(ts *testscript.TestScript) []line { return guided(ts, string(page)) })
}

// Every example about residency runs against what comes with Meridian.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	script := `fleetctl apply -f deploy/residency -f deploy/shop
fleetctl residency report --out audit-2025.json
fleetctl residency report --out audit-2026.json
fleetctl evidence verify -o json
keys keys.txt
lines
`
	runInShop(t, script, func(*testscript.TestScript) []line {
		all := examplesOf(t, "residency", "report")
		all = append(all, examplesOf(t, "policy")...)
		all = append(all, examplesOf(t, "exception", "request", "approve", "show", "list")...)
		return append(all, examplesOf(t, "evidence")...)
	})
}
