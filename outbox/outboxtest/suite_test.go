package outboxtest_test

import (
	"testing"

	"callhome/outbox"
	"callhome/outbox/outboxtest"
)

func TestMemory(t *testing.T) {
	outboxtest.Run(t,
		func(testing.TB) outbox.Store { return outboxtest.NewMemory() },
		func(_ testing.TB, s outbox.Store) outbox.Store { return s })
}

// rounds makes it thousands of runs: a run of the model takes a millisecond here.
const rounds = 20

func TestModelInMemory(t *testing.T) {
	for range rounds {
		outboxtest.Model(t,
			func(testing.TB) outbox.Store { return outboxtest.NewMemory() },
			func(_ testing.TB, s outbox.Store) outbox.Store { return s })
	}
}
