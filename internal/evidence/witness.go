package evidence

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	formats "github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Witness cosigns checkpoints of one log that continue the last one it saw. It
// answers the C2SP tlog-witness request add-checkpoint, so that one in this
// process and one elsewhere are spoken to alike.
type Witness struct {
	mutex  sync.Mutex // one submission at a time
	signer *cosignature.Signer
	log    note.Verifier
	kept   *kept
}

// NewWitness opens, or makes, a witness with a folder of its own that cosigns
// for the log with a verifier key. It is an http.Handler: run it where whoever
// runs the log has no access. The second result is its own verifier key.
func NewWitness(dir, logKey string) (*Witness, string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", fleet.Errorf(fleet.ErrUnavailable, "%w", err).On("witness")
	}
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return nil, "", fleet.Errorf(fleet.ErrInvalid, "%w", err).On("log key")
	}
	kept, err := openKept(filepath.Join(dir, keptFile))
	if err != nil {
		return nil, "", err
	}
	_, any := kept.newest()
	key, err := loadKey(filepath.Join(dir, witnessKeyFile), "witness", !any)
	if err != nil {
		return nil, "", err
	}
	public, err := cosigningKey(key.public)
	if err != nil {
		return nil, "", err
	}
	witness, err := newWitness(key, log, kept)
	return witness, public, err
}

func newWitness(key signingKey, log note.Verifier, kept *kept) (*Witness, error) {
	signer, err := cosignature.NewSignerForCosignatureV1(key.private)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "%w", err).On("witness key")
	}
	return &Witness{signer: signer, log: log, kept: kept}, nil
}

// maxRequest bounds an add-checkpoint request, in bytes: a checkpoint and at
// most 63 hashes are far below.
const maxRequest = 64 << 10

// submission is an add-checkpoint request.
type submission struct {
	old        uint64 // size the log believes the witness has seen
	proof      [][]byte
	checkpoint string
}

func parseSubmission(body []byte) (submission, error) {
	head, checkpoint, ok := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok {
		return submission{}, fleet.Errorf(fleet.ErrInvalid, "no empty line before the checkpoint")
	}
	size, named := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseUint(size, 10, 64)
	if err != nil || !named {
		return submission{}, fleet.Errorf(fleet.ErrInvalid, "the first line names no old size")
	}
	parsed := submission{old: old, checkpoint: checkpoint}
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return submission{}, fleet.Errorf(fleet.ErrInvalid, "a proof line is not base64: %w", err)
		}
		parsed.proof = append(parsed.proof, hash)
	}
	return parsed, nil
}

// ServeHTTP answers add-checkpoint.
func (w *Witness) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxRequest))
	if err != nil {
		http.Error(response, "the request cannot be read", http.StatusBadRequest)
		return
	}
	status, answer := w.add(body)
	if status == http.StatusConflict {
		response.Header().Set("Content-Type", "text/x.tlog.size")
	}
	response.WriteHeader(status)
	_, _ = io.WriteString(response, answer) // a log that is gone asks again
}

// add judges a submission: the status and body of the answer.
func (w *Witness) add(body []byte) (status int, answer string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	asked, err := parseSubmission(body)
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	checkpoint, _, _, err := formats.ParseCheckpoint([]byte(asked.checkpoint), w.log.Name(), w.log)
	if err != nil {
		return http.StatusForbidden, "not signed by the log this witness knows"
	}
	seen, _ := w.kept.newest()
	switch {
	case asked.old > checkpoint.Size:
		return http.StatusBadRequest, "the old size is beyond the checkpoint"
	case asked.old != seen.Size:
		return http.StatusConflict, fmt.Sprintf("%d\n", seen.Size)
	case seen.Size == checkpoint.Size && seen.Size > 0 && !bytes.Equal(seen.Hash, checkpoint.Hash):
		return http.StatusConflict, fmt.Sprintf("%d\n", seen.Size)
	}
	if seen.Size > 0 {
		err = proof.VerifyConsistency(rfc6962.DefaultHasher, seen.Size, checkpoint.Size, asked.proof, seen.Hash, checkpoint.Hash)
		if err != nil {
			return http.StatusUnprocessableEntity, "the log does not continue what this witness saw"
		}
	}
	return w.cosign(asked.checkpoint)
}

// cosign signs a checkpoint and keeps it before anybody gets to see it.
func (w *Witness) cosign(checkpoint string) (status int, answer string) {
	text, _, _ := strings.Cut(checkpoint, "\n\n")
	signature, err := w.signer.Sign([]byte(text + "\n"))
	if err != nil {
		return http.StatusInternalServerError, err.Error()
	}
	raw := []byte{byte(w.signer.KeyHash() >> 24), byte(w.signer.KeyHash() >> 16), byte(w.signer.KeyHash() >> 8), byte(w.signer.KeyHash())} //nolint:gosec // its four bytes
	line := fmt.Sprintf("— %s %s\n", w.signer.Name(), base64.StdEncoding.EncodeToString(append(raw, signature...)))
	if err := w.kept.keep(checkpoint + line); err != nil {
		return http.StatusInternalServerError, err.Error()
	}
	return http.StatusOK, line
}

// keeper stands between the log and its witness: it passes requests on, keeps
// every checkpoint that was cosigned, and tells when the witness refused one.
type keeper struct {
	witness  http.RoundTripper
	verifier note.Verifier
	kept     *kept
	refused  func(error)
}

// RoundTrip implements http.RoundTripper.
func (k *keeper) RoundTrip(request *http.Request) (*http.Response, error) {
	asked, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	if err := request.Body.Close(); err != nil {
		return nil, err
	}
	passed := request.Clone(request.Context())
	passed.Body = io.NopCloser(bytes.NewReader(asked))
	response, err := k.witness.RoundTrip(passed)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxRequest))
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	return response, k.note(asked, response, answer)
}

func (k *keeper) note(asked []byte, response *http.Response, answer []byte) error {
	request, err := parseSubmission(asked)
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK {
		opened, err := note.Open([]byte(request.checkpoint+string(answer)), note.VerifierList(k.verifier))
		if err != nil {
			return fleet.Errorf(fleet.ErrUnavailable, "the witness answered with no cosignature of its own: %w", err)
		}
		return k.kept.keep(fmt.Sprintf("%s— %s %s\n", request.checkpoint, opened.Sigs[0].Name, opened.Sigs[0].Base64))
	}
	if reason := refusal(request, response.StatusCode, string(answer)); reason != nil {
		k.refused(reason)
	}
	return nil
}

// refusal says why the witness will never cosign this checkpoint; nil when it
// only wants to be asked otherwise, or cannot now.
func refusal(request submission, status int, answer string) error {
	var checkpoint formats.Checkpoint
	if _, err := checkpoint.Unmarshal([]byte(request.checkpoint)); err != nil {
		return nil //nolint:nilerr // what the log itself wrote; the witness answers for the rest
	}
	const advice = "verify the log; restore it and the witness's folder from a backup, or begin a new log elsewhere"
	switch status {
	case http.StatusUnprocessableEntity:
		return fleet.Errorf(fleet.ErrNeedsHuman, "the witness refuses the log's %d entries: they do not continue what it saw", checkpoint.Size).Advise(advice)
	case http.StatusConflict:
		seen, err := strconv.ParseUint(strings.TrimSpace(answer), 10, 64)
		if err == nil && (seen > checkpoint.Size || seen == request.old) {
			return fleet.Errorf(fleet.ErrNeedsHuman, "the witness saw %d entries; the log now shows %d others", seen, checkpoint.Size).Advise(advice)
		}
	}
	return nil
}

// inProcess answers requests from a handler in this process.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(request *http.Request) (*http.Response, error) {
	recorded := &answer{header: http.Header{}, status: http.StatusOK}
	p.handler.ServeHTTP(recorded, request)
	return &http.Response{
		StatusCode: recorded.status, Header: recorded.header, Request: request,
		Body: io.NopCloser(&recorded.body), ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// answer is what a handler wrote.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header               { return a.header }
func (a *answer) WriteHeader(status int)            { a.status = status }
func (a *answer) Write(content []byte) (int, error) { return a.body.Write(content) }
