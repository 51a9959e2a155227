package account_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"callhome"
	"callhome/server/account"
	"callhome/server/sqlstore"
)

// provider is an OpenID Connect provider that lies when it is told to. It holds clients to PKCE, redirect address and
// single use of codes as RFC 7636 and RFC 6749 say. A real one is tried in oidc_peer_test.go.
type provider struct {
	*httptest.Server
	key   *rsa.PrivateKey
	now   func() time.Time
	lie   func(header, claims map[string]any) // changes what is signed
	forge func(token string) string           // changes what was signed
	email string
	good  bool // it vouches for the address

	mu    sync.Mutex
	codes map[string]url.Values
}

// providerKey is made once: making one takes a while.
var providerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newProvider(t *testing.T, now func() time.Time) *provider {
	t.Helper()
	key, err := providerKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, now: now, email: "rita@ops.example", good: true, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		b64 := base64.RawURLEncoding.EncodeToString
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// visit is the browser that a person signs in with: it gives what the browser is sent back with.
func (p *provider) visit(t *testing.T, address string) (state, code string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("response_type") != "code" || !strings.Contains(q.Get("scope"), "openid") {
		t.Fatalf("authorization request %s", address)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code = rand.Text()
	p.codes[code] = q
	return q.Get("state"), code
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !known || base64.RawURLEncoding.EncodeToString(challenge[:]) != q.Get("code_challenge") || r.FormValue("redirect_uri") != q.Get("redirect_uri") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error": "invalid_grant"}`))
		return
	}
	header := map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}
	claims := map[string]any{
		"iss": p.URL, "sub": "subject-1", "aud": "callhome", "exp": p.now().Add(time.Minute).Unix(), "iat": p.now().Unix(),
		"nonce": q.Get("nonce"), "email": p.email, "email_verified": p.good,
	}
	if p.lie != nil {
		p.lie(header, claims)
	}
	token := p.sign(header, claims)
	if p.forge != nil {
		token = p.forge(token)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": token})
}

func (p *provider) sign(header, claims map[string]any) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	sig, _ := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// portal is a back end at which people sign in.
type portal struct {
	*testing.T
	books  account.Books
	office *account.Office
	at     time.Time
	user   *account.User
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), filepath.Join(t.TempDir(), "server.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := &portal{T: t, books: s.AccountBooks(), at: time.Now()}
	p.office = &account.Office{Now: func() time.Time { return p.at }}
	p.user, err = p.office.NewUser(context.Background(), p.books, account.System(),
		account.User{Name: "rita", Email: "Rita@ops.example", Role: account.RoleOperator}, callhome.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *portal) provider(ctx context.Context, c account.ProviderConfig) *account.Provider {
	p.Helper()
	out, err := p.office.NewProvider(ctx, c)
	if err != nil {
		p.Fatal(err)
	}
	return out
}

func (p *portal) begin(o *account.Provider) (address string, cookie callhome.Secret) {
	p.Helper()
	err := p.books.InTx(context.Background(), func(s account.Store) (err error) {
		address, cookie, err = o.Begin(context.Background(), s, "/devices")
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return address, cookie
}

func clientConfig(issuer string) account.ProviderConfig {
	return account.ProviderConfig{Issuer: issuer, ClientID: "callhome", ClientSecret: callhome.NewSecret("s3cret-of-the-client"), RedirectURL: "http://portal.example/callback"}
}

func TestOIDC(t *testing.T) {
	p, ctx := newPortal(t), context.Background()
	idp := newProvider(t, p.office.Now)
	o := p.provider(ctx, clientConfig(idp.URL))
	for k := range 2 { // the first links the account, the second finds it linked
		address, cookie := p.begin(o)
		state, code := idp.visit(t, address)
		u, back, err := o.Finish(ctx, p.books, cookie, state, code)
		if err != nil || u.ID != p.user.ID || back != "/devices" || u.Subject != "subject-1" {
			t.Fatalf("sign-in %d: %+v, %q, %v", k, u, back, err)
		}
		if _, _, err := o.Finish(ctx, p.books, cookie, state, code); callhome.KindOf(err) != callhome.KindDenied {
			t.Errorf("the same sign-in again: %v", err)
		}
		idp.email, idp.good = "other@ops.example", false // the link holds whatever the address
	}
	if v, err := account.Verify(ctx, p.books.Read(), nil, nil); err != nil || !v.OK() {
		t.Errorf("audit log: %+v, %v", v, err)
	}
}

func TestOIDCRefuses(t *testing.T) {
	claim := func(name string, value any) func(*provider) {
		return func(i *provider) { i.lie = func(_, claims map[string]any) { claims[name] = value } }
	}
	for name, spoil := range map[string]func(*provider){
		"another issuer":       claim("iss", "https://evil.example"),
		"another audience":     claim("aud", "someone-else"),
		"another nonce":        claim("nonce", "guessed"),
		"no nonce":             claim("nonce", ""),
		"an ended token":       claim("exp", 1),
		"no subject":           claim("sub", ""),
		"an unverified mail":   func(i *provider) { i.good = false },
		"an unknown mail":      func(i *provider) { i.email = "eve@evil.example" },
		"no mail":              func(i *provider) { i.email = "" },
		"a broken signature":   func(i *provider) { i.forge = func(s string) string { return s[:len(s)-8] + "AAAAAAAA" } },
		"another access token": claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"no signature": func(i *provider) {
			i.lie = func(h, _ map[string]any) { h["alg"] = "none" }
			i.forge = func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] }
		},
		"a symmetric signature": func(i *provider) { i.lie = func(h, _ map[string]any) { h["alg"] = "HS256" } },
		"no ID token":           func(i *provider) { i.forge = func(string) string { return "" } },
	} {
		t.Run(name, func(t *testing.T) {
			p, ctx := newPortal(t), context.Background()
			idp := newProvider(t, p.office.Now)
			o := p.provider(ctx, clientConfig(idp.URL))
			spoil(idp)
			address, cookie := p.begin(o)
			state, code := idp.visit(t, address)
			if u, _, err := o.Finish(ctx, p.books, cookie, state, code); callhome.KindOf(err) != callhome.KindDenied || u != nil {
				t.Errorf("signed in: %+v, %v", u, err)
			}
			if u, err := p.books.Read().User(ctx, p.user.ID); err != nil || u.Subject != "" {
				t.Errorf("the account was linked: %+v, %v", u, err)
			}
		})
	}
}

func TestOIDCFlowsAreTheBrowsersOwn(t *testing.T) {
	p, ctx := newPortal(t), context.Background()
	idp := newProvider(t, p.office.Now)
	o := p.provider(ctx, clientConfig(idp.URL))
	mine, mineCookie := p.begin(o)
	theirs, theirsCookie := p.begin(o)
	state, code := idp.visit(t, mine)
	otherState, otherCode := idp.visit(t, theirs)
	for name, try := range map[string][3]string{
		"another browser's cookie": {theirsCookie.Reveal(), state, code},
		"no cookie":                {"", state, code},
		"neither":                  {"", "", code},
		"a state of nobody's":      {"chf_guess", "chf_guess", code},
	} {
		if _, _, err := o.Finish(ctx, p.books, callhome.NewSecret(try[0]), try[1], try[2]); callhome.KindOf(err) != callhome.KindDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A code that belongs to another flow has another PKCE challenge.
	if _, _, err := o.Finish(ctx, p.books, mineCookie, state, otherCode); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("another flow's code: %v", err)
	}
	p.at = p.at.Add(11 * time.Minute)
	if _, _, err := o.Finish(ctx, p.books, theirsCookie, otherState, otherCode); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("after eleven minutes: %v", err)
	}
	if _, err := p.office.NewProvider(oidc.ClientContext(ctx, idp.Client()), clientConfig(idp.URL+"/no-such")); callhome.KindOf(err) != callhome.KindUnavailable {
		t.Errorf("a provider that is none: %v", err)
	}
}
