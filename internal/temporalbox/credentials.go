package temporalbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"

	"go.temporal.io/server/common/rpc/encryption"
)

// credentials are one certificate, for servers and clients alike, under an
// authority whose key is thrown away at once: nobody else can join.
type credentials struct {
	pair                                 tls.Certificate
	pool                                 *x509.CertPool
	certificatePEM, keyPEM, authorityPEM []byte
}

func newCredentials() (*credentials, error) {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	authority := certificateTemplate(1, "meridian embedded temporal authority")
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return nil, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, certificateTemplate(2, "meridian embedded temporal"), authority, key.Public(), authorityKey)
	if err != nil {
		return nil, err
	}
	return encodeCredentials(authorityDER, leafDER, key)
}

func certificateTemplate(serial int64, name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.ParseIP(loopback)},
	}
}

func encodeCredentials(authorityDER, leafDER []byte, key *ecdsa.PrivateKey) (*credentials, error) {
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	c := &credentials{
		pool:           x509.NewCertPool(),
		certificatePEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER}),
		keyPEM:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
		authorityPEM:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER}),
	}
	c.pool.AppendCertsFromPEM(c.authorityPEM)
	c.pair, err = tls.X509KeyPair(c.certificatePEM, c.keyPEM)
	return c, err
}

func (c *credentials) server() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c.pair},
		ClientCAs:    c.pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MinVersion:   tls.VersionTLS13,
	}
}

func (c *credentials) client() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c.pair},
		RootCAs:      c.pool,
		ServerName:   loopback,
		MinVersion:   tls.VersionTLS13,
	}
}

func (c *credentials) provider() encryption.TLSConfigProvider {
	return &encryption.FixedTLSConfigProvider{
		InternodeServerConfig: c.server(), InternodeClientConfig: c.client(),
		FrontendServerConfig: c.server(), FrontendClientConfig: c.client(),
	}
}
