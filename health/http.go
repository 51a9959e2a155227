package health

import (
	"encoding/json"
	"net/http"
)

// report is the answer of /healthz and /readyz.
type report struct {
	Well  bool    `json:"well"`
	Ready bool    `json:"ready"`
	Parts []State `json:"parts"`
}

// Handler answers GET /healthz and GET /readyz in JSON, both with the same body.
//
// /healthz says 200 as long as the process answers at all, even with parts unwell: restarting it would help nobody whose
// destination is unreachable. /readyz says 503 until SetReady(true).
func (r *Registry) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { r.answer(w, http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		status := http.StatusOK
		if !r.Ready() {
			status = http.StatusServiceUnavailable
		}
		r.answer(w, status)
	})
	return mux
}

func (r *Registry) answer(w http.ResponseWriter, status int) {
	states := r.Snapshot()
	body, err := json.Marshal(report{Well: len(states) == 0 || states[0].Well, Ready: r.Ready(), Parts: states})
	if err != nil {
		http.Error(w, "health cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
