package jira

import "strings"

// node is a part of Atlassian Document Format, version 1.
type node struct {
	Type    string `json:"type"`
	Version int    `json:"version,omitempty"`
	Text    string `json:"text,omitempty"`
	Content []node `json:"content,omitempty"`
}

// maxDocument is below the 32,767 characters that a text field of Jira takes.
const maxDocument = 30000

// document makes paragraphs of plain text; a text node must not be empty.
func document(text string) node {
	if len(text) > maxDocument {
		half := maxDocument / 2
		text = strings.ToValidUTF8(text[:half], "") + "\n…\n" + strings.ToValidUTF8(text[len(text)-half:], "")
	}
	doc := node{Type: "doc", Version: 1}
	for _, part := range strings.Split(text, "\n\n") {
		p := node{Type: "paragraph"}
		for i, line := range strings.Split(part, "\n") {
			if i > 0 {
				p.Content = append(p.Content, node{Type: "hardBreak"})
			}
			if line != "" {
				p.Content = append(p.Content, node{Type: "text", Text: line})
			}
		}
		doc.Content = append(doc.Content, p)
	}
	return doc
}

// plain is the text of a document, or of a string, which webhooks carry instead.
func plain(v any) string {
	var b strings.Builder
	write(&b, v, 0)
	return strings.TrimSpace(b.String())
}

// maxDepth bounds hostile documents.
const maxDepth = 50

func write(b *strings.Builder, v any, depth int) {
	if depth > maxDepth {
		return
	}
	switch v := v.(type) {
	case string:
		b.WriteString(v)
	case []any:
		for _, e := range v {
			write(b, e, depth+1)
		}
	case map[string]any:
		if text, ok := v["text"].(string); ok {
			b.WriteString(text)
		}
		write(b, v["content"], depth+1)
		if v["type"] == "paragraph" || v["type"] == "hardBreak" {
			b.WriteString("\n")
		}
	}
}
