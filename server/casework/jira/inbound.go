package jira

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"callhome"
	"callhome/server/casework"
)

// Header fields of Jira's webhooks.
const (
	headerSignature = "X-Hub-Signature" // "sha256=" and the HMAC of the body
	headerID        = "X-Atlassian-Webhook-Identifier"
)

type event struct {
	Timestamp int64  `json:"timestamp"` // milliseconds
	Kind      string `json:"webhookEvent"`
	Issue     issue  `json:"issue"`
	User      named  `json:"user"`
	Changelog struct {
		Items []struct {
			Field string `json:"field"`
			To    string `json:"toString"`
		} `json:"items"`
	} `json:"changelog"`
	Comment *struct {
		Body   any   `json:"body"`
		Author named `json:"author"`
	} `json:"comment"`
}

// Receive reads jira:issue_updated and comment_created.
func (a *Adapter) Receive(header http.Header, body []byte, now time.Time) ([]casework.Update, error) {
	given, _ := strings.CutPrefix(header.Get(headerSignature), "sha256=")
	if err := casework.CheckSignature(a.cfg.Secret, given, body); err != nil {
		return nil, err
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "the body is not a webhook of Jira: %w", err)
	}
	at := time.UnixMilli(e.Timestamp)
	if err := casework.CheckAge(at, now); err != nil {
		return nil, err
	}
	u := casework.Update{Remote: e.Issue.Key, EventID: header.Get(headerID), At: at, Who: e.User.DisplayName}
	if u.EventID == "" {
		u.EventID = given
	}
	switch {
	case u.Remote == "":
		return nil, nil
	case e.Kind == "comment_created" && e.Comment != nil:
		u.Comment = plain(e.Comment.Body)
		u.Who = e.Comment.Author.DisplayName
		return []casework.Update{u}, nil
	case e.Kind != "jira:issue_updated":
		return nil, nil
	}
	for _, i := range e.Changelog.Items {
		switch i.Field {
		case "status":
			u.Word, u.State = i.To, a.cfg.States[strings.ToLower(i.To)]
		case "assignee":
			u.Assignee = i.To
		}
	}
	if u.Word == "" && u.Assignee == "" {
		return nil, nil
	}
	return []casework.Update{u}, nil
}

// PollEvery is the configured pause.
func (a *Adapter) PollEvery() time.Duration { return a.cfg.Poll }

// pollPage is how many changed issues are read at once; the rest comes with the next question.
const pollPage = 100

// Poll asks for issues of ours that changed. JQL knows minutes only, and in the account's zone, so it asks for an age. Who has
// the issue is not read: that it is so does not mean that it has changed there.
func (a *Adapter) Poll(ctx context.Context, since time.Time) ([]casework.Update, time.Time, error) {
	now := a.caller.Now()
	minutes := int(now.Sub(since).Minutes()) + 1
	jql := fmt.Sprintf(`project = %q AND labels = "callhome" AND updated >= "-%dm" ORDER BY updated ASC`, a.cfg.Project, minutes)
	issues, err := a.search(ctx, jql, pollPage)
	if err != nil {
		return nil, since, err
	}
	until := now
	var updates []casework.Update
	for i := range issues {
		f := &issues[i].Fields
		at, err := time.Parse("2006-01-02T15:04:05.000-0700", f.Updated)
		if err != nil {
			continue // a form that is not documented; the webhook will tell
		}
		if len(issues) == pollPage {
			until = at
		}
		u := casework.Update{
			Remote: issues[i].Key, EventID: fmt.Sprintf("%s/%s/%s", issues[i].Key, f.Updated, f.Status.Name), At: at, Who: "jira",
			Word: f.Status.Name, State: a.cfg.States[strings.ToLower(f.Status.Name)],
		}
		updates = append(updates, u)
	}
	return updates, until, nil
}
