package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/gateway/book"
	"callhome/receive"
)

// viaPrefix begins the Via of every gateway of ours; its name and number follow.
const viaPrefix = "urn:callhome:gateway:"

// examined is a submission that was understood.
type examined struct {
	message *callhome.Message // first block
	xml     []byte            // as it came, or out of the mail
	device  string            // lane, and part of the key
	key     book.Key
	id      callhome.MessageID // the message's own, or one made of its bytes
}

// examine takes the XML out of a submission and reads as much of it as is needed to judge it. The error is a
// receive.Refusal.
func examine(sub *receive.Submission) (*examined, error) {
	x := &examined{xml: sub.Body}
	if sub.Transport == callhome.TransportEmail {
		mail, err := mimemail.Decode(sub.Body)
		if err != nil {
			return nil, &receive.Refusal{Reason: receive.RefuseMalformed, Public: "the mail holds no Call Home message", Err: err}
		}
		if x.xml = mail.Payload; !strings.Contains(mail.ContentType, "xml") && !looksLikeXML(mail.Payload) {
			return nil, &receive.Refusal{
				Reason: receive.RefuseUnsupported, Public: "text messages are for people and cannot be forwarded; let the device send XML",
				Err: fmt.Errorf("the mail holds %s", mail.ContentType),
			}
		}
	}
	m, err := aml.Decode(x.xml, aml.Options{})
	if err != nil {
		return nil, &receive.Refusal{Reason: receive.RefuseMalformed, Public: err.Error(), Err: err}
	}
	x.message = m
	x.device = deviceOf(m, sub)
	x.id = m.MessageID
	if x.id == "" {
		sum := sha256.Sum256(x.xml)
		x.id = callhome.MessageID("sha256:" + hex.EncodeToString(sum[:12]))
	}
	part := ""
	if m.Block != nil {
		part = strconv.Itoa(m.Block.Number)
	}
	x.key = book.KeyOf(x.device, x.id, part)
	return x, nil
}

func looksLikeXML(b []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(string(b[:min(len(b), 64)]), "\ufeff \t\r\n"), "<")
}

// deviceOf names the device that a message is of, by the best it says of itself; the address it came from is the last
// resort.
func deviceOf(m *callhome.Message, sub *receive.Submission) string {
	switch {
	case m.DeviceID != "":
		return string(m.DeviceID)
	case m.Serial != "":
		return "serial:" + m.Serial
	case m.SystemName != "":
		return "host:" + m.SystemName
	}
	return "source:" + sub.Peer.Addr().String()
}

// hops counts the gateways of ours in a message's path, and whether the one with this number is among them.
func hops(vias []string, id string) (n int, own bool) {
	for _, v := range vias {
		if rest, ok := strings.CutPrefix(v, viaPrefix); ok {
			n++
			own = own || strings.HasSuffix(rest, ":"+id)
		}
	}
	return n, own
}
