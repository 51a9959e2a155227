package account_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// providerPackage is the certified OpenID Connect provider that the peer test runs, from the npm registry.
const providerPackage = "oidc-provider@9.13.3"

// TestPeerOIDCProvider signs in at a real provider, through its own login and consent forms.
func TestPeerOIDCProvider(t *testing.T) {
	if os.Getenv("CALLHOME_E2E") == "" {
		t.Skip("talks to a real peer; set CALLHOME_E2E=1")
	}
	p, ctx := newPortal(t), context.Background()
	issuer := startProvider(t)
	for range 2 { // the second finds the account linked
		o := p.provider(ctx, clientConfig(issuer))
		address, cookie := p.begin(o)
		back := signInThere(t, address)
		u, path, err := o.Finish(ctx, p.books, cookie, back.Get("state"), back.Get("code"))
		if err != nil || u.ID != p.user.ID || path != "/devices" || u.Subject != "rita" || u.Issuer != issuer {
			t.Fatalf("sign-in: %+v, %q, %v", u, path, err)
		}
		if _, _, err := o.Finish(ctx, p.books, cookie, back.Get("state"), back.Get("code")); err == nil {
			t.Error("the same sign-in works twice")
		}
	}
	wrong := clientConfig(issuer)
	wrong.RedirectURL = "http://portal.example/elsewhere"
	address, _ := p.begin(p.provider(ctx, wrong))
	if got := fetch(t, newBrowser(t), http.MethodGet, address, nil); got.status != http.StatusBadRequest {
		t.Errorf("another redirect address: the provider answers %d", got.status)
	}
	stolen := p.provider(ctx, clientConfig(issuer))
	mine, mineCookie := p.begin(stolen)
	other, _ := p.begin(stolen)
	state, code := signInThere(t, mine).Get("state"), signInThere(t, other).Get("code")
	if _, _, err := stolen.Finish(ctx, p.books, mineCookie, state, code); err == nil {
		t.Error("the provider took a code with another sign-in's PKCE verifier")
	}
}

// modernNode are the versions of Node that the provider runs on.
var modernNode = regexp.MustCompile(`^v([2-9][0-9]|[0-9]{3,})\.`)

const providerProgram = `
import { Provider } from 'oidc-provider';
const [issuer, redirect] = process.argv.slice(2);
const p = new Provider(issuer, {
  clients: [{ client_id: 'callhome', client_secret: 's3cret-of-the-client', redirect_uris: [redirect],
    grant_types: ['authorization_code'], response_types: ['code'], application_type: 'web' }],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id + '@ops.example', email_verified: true, name: id }) }),
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ['only for this test'] },
});
p.listen(Number(new URL(issuer).port), '127.0.0.1', () => console.log('listening'));
`

// startProvider installs the provider and runs it until the test ends.
func startProvider(t *testing.T) (issuer string) {
	t.Helper()
	if version, err := exec.Command("node", "--version").Output(); err != nil || !modernNode.Match(version) {
		t.Skipf("NOT TRIED: %s needs Node 20 or newer, here is %q (%v); TestOIDC holds the same flow to a provider of our own", providerPackage, version, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "callhome-test", strings.ReplaceAll(providerPackage, "@", "-"))
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider", "package.json")); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		install := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", providerPackage)
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("NOT TRIED: npm does not get %s (%v); TestOIDC holds the same flow to a provider of our own\n%s", providerPackage, err, out)
		}
	}
	program := filepath.Join(dir, "provider.mjs")
	if err := os.WriteFile(program, []byte(providerProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer = fmt.Sprintf("http://%s", ln.Addr())
	ln.Close()
	cmd := exec.Command("node", program, issuer, clientConfig(issuer).RedirectURL)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	ready := make(chan bool, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "listening" {
				ready <- true
			}
		}
	}()
	select {
	case <-ready:
	case <-time.After(time.Minute):
		t.Fatal("the provider does not listen")
	}
	return issuer
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type fetched struct {
	status   int
	location *url.URL // where a redirection leads to
	body     string
	at       string
}

func fetch(t *testing.T, c *http.Client, method, address string, form url.Values) fetched {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if _, err := bufio.NewReader(resp.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	got := fetched{status: resp.StatusCode, body: b.String(), at: address}
	if l, err := resp.Location(); err == nil {
		got.location = l
	}
	return got
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
)

// signInThere walks through the provider's forms as a person would, until it sends the browser back.
func signInThere(t *testing.T, address string) url.Values {
	t.Helper()
	browser := newBrowser(t)
	got := fetch(t, browser, http.MethodGet, address, nil)
	for range 20 {
		switch {
		case got.location != nil && got.location.Host == "portal.example":
			return got.location.Query()
		case got.location != nil:
			got = fetch(t, browser, http.MethodGet, got.location.String(), nil)
		case got.status == http.StatusOK && formAction.MatchString(got.body):
			base, err := url.Parse(got.at)
			if err != nil {
				t.Fatal(err)
			}
			action, err := base.Parse(formAction.FindStringSubmatch(got.body)[1])
			if err != nil {
				t.Fatal(err)
			}
			form := url.Values{"login": {"rita"}, "password": {"anything"}}
			if prompt := formPrompt.FindStringSubmatch(got.body); prompt != nil {
				form.Set("prompt", prompt[1])
			}
			got = fetch(t, browser, http.MethodPost, action.String(), form)
		default:
			t.Fatalf("the provider answers %d to %s:\n%s", got.status, got.at, got.body)
		}
	}
	t.Fatal("the provider never sends the browser back")
	return nil
}
