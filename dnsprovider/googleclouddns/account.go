package googleclouddns

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

// serviceAccount is a service account's key, as in the file that the console gives
// (https://cloud.google.com/iam/docs/keys-create-delete).
type serviceAccount struct {
	email, project, keyID, tokenURL string
	key                             *rsa.PrivateKey
}

const defaultTokenURL = "https://oauth2.googleapis.com/token"

// parseAccount reads the file. The error tells nothing of what it holds.
func parseAccount(credentials dnsprovider.Secret) (*serviceAccount, error) {
	const where = "(hint: gcloud iam service-accounts keys create FILE --iam-account=ACCOUNT)"
	if credentials.Empty() {
		return nil, errors.New("no credentials " + where)
	}
	var file struct {
		Type     string `json:"type"`
		Project  string `json:"project_id"`
		KeyID    string `json:"private_key_id"`
		Key      string `json:"private_key"`
		Email    string `json:"client_email"`
		TokenURL string `json:"token_uri"`
	}
	if json.Unmarshal([]byte(credentials.Reveal()), &file) != nil {
		return nil, errors.New("the credentials are not JSON " + where)
	}
	if file.Type != "service_account" {
		return nil, fmt.Errorf("the credentials are of type %.30q, and those of a service account are wanted %s", file.Type, where)
	}
	if file.Email == "" {
		return nil, errors.New("the credentials have no client_email " + where)
	}
	block, _ := pem.Decode([]byte(file.Key))
	if block == nil {
		return nil, errors.New("the credentials have no private_key in PEM " + where)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("the private_key of the credentials is not an RSA key in PKCS #8 " + where)
	}
	if file.TokenURL == "" {
		file.TokenURL = defaultTokenURL
	}
	if err := api.CheckURL(file.TokenURL); err != nil {
		return nil, fmt.Errorf("token_uri of the credentials: %w", err)
	}
	return &serviceAccount{email: file.Email, project: file.Project, keyID: file.KeyID, tokenURL: file.TokenURL, key: key}, nil
}

// scope is for reading and changing zones, and nothing else of Google Cloud.
const scope = "https://www.googleapis.com/auth/ndev.clouddns.readwrite"

// assertion makes a request for an access token: a JWT that the account signs (RFC 7523,
// https://developers.google.com/identity/protocols/oauth2/service-account).
func (a *serviceAccount) assertion(now time.Time) (url.Values, *api.Trouble) {
	fail := func(err error) (url.Values, *api.Trouble) {
		return nil, &api.Trouble{Kind: dnsprovider.Malformed, Err: fmt.Errorf("signing with the service account's key: %w", err)}
	}
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": a.keyID})
	if err != nil {
		return fail(err)
	}
	claims, err := json.Marshal(map[string]any{
		"iss": a.email, "scope": scope, "aud": a.tokenURL, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	if err != nil {
		return fail(err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, digest[:])
	if err != nil {
		return fail(err)
	}
	return url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"assertion":  {signed + "." + base64.RawURLEncoding.EncodeToString(signature)},
	}, nil
}
