package casework_test

import (
	"fmt"
	"testing"

	"callhome"
	"callhome/server/casework"
)

// BenchmarkAct works findings in transactions of a hundred, as the back end does with batches: a new case for each of a
// hundred devices, and further messages of a cause that is open.
func BenchmarkAct(b *testing.B) {
	for _, name := range []string{"open", "join"} {
		b.Run(name, func(b *testing.B) {
			bench := newBench(b, config())
			const batch = 100
			b.ResetTimer()
			for i := 0; i < b.N; i += batch {
				bench.tx(b, func(s casework.Store) error {
					for n := range batch {
						key := "Fan 2"
						if name == "open" {
							key = fmt.Sprint("Fan ", i+n)
						}
						if _, err := bench.desk.Act(ctx, s, sub(int64(n+1)), []casework.Cause{bench.cause(key, callhome.LevelMajor, callhome.StateRaise)}); err != nil {
							return err
						}
					}
					return nil
				})
			}
		})
	}
}
