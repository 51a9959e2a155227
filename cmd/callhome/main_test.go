package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/config"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"callhome": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScript runs the command as a user does; testdata/script has one file a topic.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits CODE ARGS… runs callhome and wants this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	err := ts.Exec("callhome", args[1:]...)
	code := "0"
	if err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("callhome %s: got exit code %s, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// fenced are the fenced blocks of a document in a language.
func fenced(t *testing.T, file, language string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(callhometest.Root(t), file))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	lines := strings.Split(string(b), "\n")
	for i := 0; i < len(lines); i++ {
		mark := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(mark, "```") {
			continue
		}
		indent := strings.Index(lines[i], "```")
		var block []string
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
			block = append(block, strings.TrimPrefix(lines[i], strings.Repeat(" ", indent)))
		}
		if mark == "```"+language {
			out = append(out, strings.Join(block, "\n"))
		}
	}
	return out
}

// TestDocumentedConfigurations checks every configuration that the documents show.
func TestDocumentedConfigurations(t *testing.T) {
	dir := t.TempDir()
	n := 0
	for _, file := range []string{"README.md", "docs/configuration.md"} {
		for _, block := range fenced(t, file, "yaml") {
			n++
			secret := filepath.Join(dir, "secret")
			if err := os.WriteFile(secret, []byte("x\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"/etc/callhome/mail.pw", "/etc/callhome/id_ed25519"} {
				block = strings.ReplaceAll(block, name, secret)
			}
			cfg, err := config.Parse(filepath.Join(dir, "agent.yaml"), []byte(block))
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if len(cfg.Warnings) > 0 {
				t.Errorf("%s: %v", file, cfg.Warnings)
			}
		}
	}
	if n < 2 {
		t.Errorf("found %d configurations in the documents, want at least 2", n)
	}
}

// TestDocumentedFilters runs the README's examples that need no daemon, word for word.
func TestDocumentedFilters(t *testing.T) {
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary answers to the name callhome, as in the scripts.
	if err := os.MkdirAll(filepath.Join(bin, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "bin", "callhome")); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, block := range fenced(t, "README.md", "") {
		for line := range strings.Lines(block) {
			if !strings.HasPrefix(line, "echo ") {
				continue
			}
			n++
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			cmd := exec.CommandContext(ctx, "sh", "-c", line)
			cmd.Dir = bin
			cmd.Env = append(os.Environ(), "TESTSCRIPT_COMMAND=callhome")
			out, err := cmd.CombinedOutput()
			cancel()
			if err != nil || !strings.Contains(string(out), "LINK-3-UPDOWN") && !strings.Contains(string(out), "alert_group") {
				t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
			}
		}
	}
	if n == 0 {
		t.Error("the README shows no filter")
	}
}
