// Command callhome is all roles in one binary: it reads argv and configuration, constructs the parts and runs them. What
// the parts do is theirs; see ARCHITECTURE.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"callhome"
	"callhome/control"
)

// version is set when the binary is linked.
var version = "dev"

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1 // the operation failed
	exitUsage       = 2 // bad usage or bad configuration
	exitUnreachable = 3 // the daemon could not be reached
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: scripts of the tests call it too.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = app.unknown
	}
	if err == nil {
		return exitOK
	}
	app.report(err)
	return exitCode(err)
}

// usageError is a fault in how the command was called.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// silentError has been reported already; only its exit code counts.
type silentError struct{ error }

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	switch {
	case errors.Is(err, control.ErrUnreachable):
		return exitUnreachable
	case callhome.KindOf(err) == callhome.KindInvalid:
		return exitUsage
	}
	return exitFailed
}

// report prints an error: one sentence for each fault on standard error, or with --json one object on standard output,
// which is of the first fault and lists the others.
func (a *app) report(err error) {
	var silent silentError
	if errors.As(err, &silent) {
		return
	}
	faults := faultsOf(err)
	if a.json {
		first := faults[0]
		first.Others = faults[1:]
		_ = json.NewEncoder(a.stdout).Encode(map[string]any{"error": first})
		return
	}
	for _, e := range faults {
		fmt.Fprintln(a.stderr, "callhome: "+e.text())
	}
}

type fault struct {
	Kind    callhome.Kind `json:"kind"`
	Message string        `json:"message"`
	Path    string        `json:"path,omitempty"`
	Others  []fault       `json:"others,omitempty"`
}

func (f fault) text() string {
	if f.Path != "" {
		return f.Path + ": " + f.Message
	}
	return f.Message
}

// faultsOf takes joined errors apart, so that each is one sentence.
func faultsOf(err error) []fault {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []fault
		for _, e := range joined.Unwrap() {
			out = append(out, faultsOf(e)...)
		}
		return out
	}
	f := fault{Kind: callhome.KindOf(err), Message: err.Error()}
	var usage usageError
	if errors.As(err, &usage) {
		f.Kind = callhome.KindInvalid
	}
	var c *callhome.Error
	if errors.As(err, &c) && c.Path != "" {
		f.Path = c.Path
		bare := *c
		bare.Path = ""
		f.Message = strings.TrimPrefix(bare.Error(), c.Path+": ") // a role's answer has it in its sentence
	}
	return []fault{f}
}
