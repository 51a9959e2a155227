// Package e2e runs real processes on loopback: the binary as users have it, real senders and receivers around it, and
// kill -9 in the middle. Its tests run where CALLHOME_E2E is set, as `make test` does; what they need is installed by
// tools/test-deps.sh, and a missing program fails them.
package e2e
