package evidence

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// The files of a log's folder.
const (
	lockFile     = "lock"
	logKeyFile   = "log.key"   // signs checkpoints
	actorKeyFile = "actor.key" // hides who did something from whoever reads entries
	treeFolder   = "log"

	witnessFolder  = "witness"
	witnessKeyFile = "witness.key"
	keptFile       = "checkpoints"
)

// signingKey is a key pair in the text forms of signed notes.
type signingKey struct{ private, public string }

// loadKey reads a signing key, or makes it when mayCreate.
func loadKey(path, role string, mayCreate bool) (signingKey, error) {
	text, err := loadSecret(path, mayCreate, func() (string, error) {
		suffix := make([]byte, 4)
		if _, err := rand.Read(suffix); err != nil {
			return "", err
		}
		private, _, err := note.GenerateKey(rand.Reader, "meridian-"+role+"-"+hex.EncodeToString(suffix))
		return private, err
	})
	if err != nil {
		return signingKey{}, err
	}
	public, err := publicKey(text)
	if err != nil {
		return signingKey{}, fleet.Errorf(fleet.ErrNeedsHuman, "%w", err).On("key " + path).Advise("restore it from a backup")
	}
	return signingKey{private: text, public: public}, nil
}

// MakeKeys makes the keys of a log that is not there yet, or reads them, and
// returns the log's verifier key: a witness elsewhere has to know it before
// the log is opened for the first time.
func MakeKeys(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fleet.Errorf(fleet.ErrUnavailable, "%w", err).On("evidence log")
	}
	_, err := os.Stat(filepath.Join(dir, treeFolder))
	isNew := errors.Is(err, fs.ErrNotExist)
	key, err := loadKey(filepath.Join(dir, logKeyFile), "evidence", isNew)
	if err != nil {
		return "", err
	}
	_, err = loadActors(filepath.Join(dir, actorKeyFile), isNew)
	return key.public, err
}

// publicKey derives the verifier key of a signer key.
func publicKey(private string) (string, error) {
	parts := strings.SplitN(private, "+", 5)
	if _, err := note.NewSigner(private); err != nil {
		return "", err
	}
	seed, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil {
		return "", err
	}
	public, _ := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey) // always is
	return note.NewEd25519VerifierKey(parts[2], public)
}

// loadSecret reads a secret of one line, or makes it when it is not there.
func loadSecret(path string, mayCreate bool, generate func() (string, error)) (string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // below the folder the administrator chose
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fleet.Errorf(fleet.ErrUnavailable, "%w", err).On("key " + path)
	}
	if !mayCreate {
		return "", fleet.Errorf(fleet.ErrNeedsHuman, "is missing although the log has entries").On("key " + path).
			Advise("restore it from a backup: entries made with it cannot be checked without it")
	}
	secret, err := generate()
	if err != nil {
		return "", fleet.Errorf(fleet.ErrInternal, "make a key: %w", err).On("key " + path)
	}
	return secret, writeNew(path, secret+"\n")
}

// writeNew writes a file that must not be there, durably, for its owner only.
func writeNew(path, content string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // as above
	if err == nil {
		_, err = file.WriteString(content)
		err = errors.Join(err, file.Sync(), file.Close(), syncFolder(filepath.Dir(path)))
	}
	if err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "%w", err).On(path)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // as above
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// actors makes keyed digests of who did something.
type actors []byte

func loadActors(path string, mayCreate bool) (actors, error) {
	text, err := loadSecret(path, mayCreate, func() (string, error) {
		key := make([]byte, sha256.Size)
		_, err := rand.Read(key)
		return hex.EncodeToString(key), err
	})
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != sha256.Size {
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "is not a key of 32 bytes in hexadecimal").On("key " + path).Advise("restore it from a backup")
	}
	return key, nil
}

func (a actors) digest(actor string) string {
	mac := hmac.New(sha256.New, a)
	mac.Write([]byte(actor))
	return hex.EncodeToString(mac.Sum(nil))
}

// cosigningKey is the form of a verifier key that cosignatures have.
func cosigningKey(public string) (string, error) {
	converted, err := cosignature.VKeyToCosignatureV1(public)
	if err == nil {
		return converted, nil
	}
	if _, wrong := cosignature.NewVerifierForCosignatureV1(public); wrong != nil {
		return "", fleet.Errorf(fleet.ErrInvalid, "not a verifier key: %w", wrong).On("witness key")
	}
	return public, nil // it is one already
}
