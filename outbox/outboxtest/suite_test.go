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
