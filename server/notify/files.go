package notify

import (
	"context"
	"fmt"

	"callhome"
	"callhome/codec/mimemail"
)

// maxFiles is how many attachments a mail carries at most: more are a list nobody opens.
const maxFiles = 20

// files are the diagnostic data that a mail carries, masked, and what is said about the rest.
func (p *Postman) files(ctx context.Context, n *Notice) (files []mimemail.File, remarks []string, err error) {
	if len(n.Attach) == 0 || p.cfg.MaxAttachments < 0 {
		return nil, nil, nil
	}
	if p.Diagnostics == nil || p.Mask == nil {
		return nil, []string{"The diagnostic data is in the portal."}, nil
	}
	left := p.cfg.MaxAttachments
	omitted := 0
	seen := map[string]bool{}
	messages := map[int64]bool{}
	for _, e := range n.Attach {
		if e.Archive == 0 || messages[e.Archive] {
			continue
		}
		messages[e.Archive] = true
		list, err := p.Diagnostics.Attachments(ctx, e.Archive)
		if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
			remarks = append(remarks, fmt.Sprintf("Message %d is no longer in the archive.", e.Archive))
			continue
		} else if err != nil {
			return nil, nil, fmt.Errorf("attachments of message %d: %w", e.Archive, err)
		}
		for _, a := range list {
			text := p.Mask([]byte(a.Text))
			if int64(len(text)) > left || len(files) >= maxFiles {
				omitted++
				continue
			}
			left -= int64(len(text))
			name := fileName(a.Name)
			for i := 2; seen[name]; i++ {
				name = fmt.Sprintf("%s-%d", fileName(a.Name), i)
			}
			seen[name] = true
			files = append(files, mimemail.File{Name: name + ".txt", Body: text})
		}
	}
	if omitted > 0 {
		remarks = append(remarks, fmt.Sprintf("%d further attachments are too large for a mail; they are in the portal.", omitted))
	}
	return files, remarks, nil
}

// fileName makes the name of a file of that of a command.
func fileName(s string) string {
	b := []byte(clip(oneLine(s), 80))
	for i, c := range b {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			b[i] = '-'
		}
	}
	if len(b) == 0 {
		return "attachment"
	}
	return string(b)
}
