// Command floor is the least that a durable back end does: it reads the body of a post, appends it to a file together
// with others that came meanwhile, syncs, and answers 200. What a back end costs is measured beside it. It looks into no
// message and knows no repeat.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// batch bounds what one sync makes durable.
const batch = 1024

type record struct {
	body []byte
	done chan error
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	file := flag.String("file", "floor.log", "file that bodies are appended to")
	cert := flag.String("cert", "", "certificate; makes it HTTPS")
	key := flag.String("key", "", "its key")
	flag.Parse()
	if err := run(*listen, *file, *cert, *key); err != nil {
		log.Fatal(err)
	}
}

func run(listen, file, cert, key string) error {
	f, err := os.Create(file) //nolint:gosec // the bench chose it
	if err != nil {
		return err
	}
	queue := make(chan *record, batch)
	go commit(f, queue)
	srv := &http.Server{Addr: listen, ReadHeaderTimeout: time.Minute, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			rec := &record{body: body, done: make(chan error, 1)}
			queue <- rec
			err = <-rec.done
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprint(w, "ok")
	})}
	if cert != "" {
		return srv.ListenAndServeTLS(cert, key)
	}
	return srv.ListenAndServe()
}

// commit appends and syncs what was handed in meanwhile.
func commit(f *os.File, queue chan *record) {
	var buf []byte
	for first := range queue {
		all := []*record{first}
		for len(all) < batch && len(queue) > 0 {
			all = append(all, <-queue)
		}
		buf = buf[:0]
		for _, r := range all {
			buf = append(buf, r.body...)
		}
		_, err := f.Write(buf)
		if err == nil {
			err = unix.Fdatasync(int(f.Fd()))
		}
		for _, r := range all {
			r.done <- err
		}
	}
}
