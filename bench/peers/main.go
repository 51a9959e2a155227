package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"callhome/bench/proc"
)

// bench is one run of the program.
type bench struct {
	bin      string // our own binary
	tools    string // where syslog-ng was unpacked
	quick    bool
	messages int // in the archive of rows 22 to 24
	scratch  string
	turn     int      // numbers folders
	cleanup  []string // folders outside scratch
}

func main() {
	b := &bench{}
	rows := flag.String("row", "", "rows to measure, such as 1,2,9; default all")
	flag.BoolVar(&b.quick, "quick", false, "shorter loads and fewer turns")
	flag.IntVar(&b.messages, "messages", 1_000_000, "messages in the archive of rows 20s, 22, 23 and 24; kept below -tools")
	flag.StringVar(&b.bin, "bin", "bin/callhome", "binary under test")
	flag.StringVar(&b.tools, "tools", ".tools", "folder that tools/test-deps.sh fills")
	doc := flag.String("doc", "docs/performance.md", "document to write the table into; empty: none")
	kept := flag.String("results", ".tools/bench.json", "file that keeps the results of earlier runs for rows that are not measured now")
	flag.Parse()
	if err := b.run(*rows, *doc, *kept); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func (b *bench) run(only, doc, kept string) error {
	wanted, err := choose(only)
	if err != nil {
		return err
	}
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		return err
	}
	if b.scratch, err = os.MkdirTemp("", "callhome-bench-"); err != nil {
		return err
	}
	defer b.remove()
	b.removeOnSignal()
	store, err := loadResults(kept)
	if err != nil {
		return err
	}
	var faults []error
	for _, r := range wanted {
		fmt.Printf("row %s: %s\n", r.id, r.title)
		start := time.Now()
		results, err := r.measure(b)
		if err != nil {
			faults = append(faults, fmt.Errorf("row %s: %w", r.id, err))
			fmt.Printf("  FAILED: %v\n", err)
		}
		for _, res := range results {
			fmt.Println("  " + res.String())
		}
		if len(results) > 0 {
			store.replace(r.id, results, b.quick)
		}
		fmt.Printf("  (%.0f s)\n", time.Since(start).Seconds())
		if err := store.save(kept); err != nil {
			return err
		}
	}
	if doc != "" {
		if err := store.writeDocument(doc, b.bin); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

func (b *bench) remove() {
	for _, dir := range append(b.cleanup, b.scratch) {
		_ = os.RemoveAll(dir) // what cannot be removed lies in a temporary folder
	}
}

// removeOnSignal clears up after an interrupt.
func (b *bench) removeOnSignal() {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ch
		proc.KillAll()
		b.remove()
		os.Exit(1)
	}()
}

// choose finds the rows of a list of numbers; none means all.
func choose(list string) ([]row, error) {
	if list == "" {
		return rows, nil
	}
	var out []row
	for id := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(rows, func(r row) bool { return r.id == strings.TrimSpace(id) })
		if i < 0 {
			var known []string
			for _, r := range rows {
				known = append(known, r.id)
			}
			return nil, fmt.Errorf("-row %s: no such row; there are %s", id, strings.Join(known, ", "))
		}
		out = append(out, rows[i])
	}
	return out, nil
}

// folder is a new empty folder for one process.
func (b *bench) folder(name string) (string, error) {
	b.turn++
	dir := filepath.Join(b.scratch, fmt.Sprintf("%03d-%s", b.turn, name))
	return dir, os.MkdirAll(dir, 0o755)
}

// turns is how often each side runs.
func (b *bench) turns() int {
	if b.quick {
		return 1
	}
	return 3
}

// amount scales a load.
func (b *bench) amount(full int) int {
	if b.quick {
		return full / 4
	}
	return full
}
