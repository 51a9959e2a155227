package aml

import (
	"strings"

	"callhome"
)

// Result is what the endpoint did with a message.
type Result string

// The results of a 200 answer.
const (
	ResultAccepted  Result = "accepted"  // stored durably
	ResultDuplicate Result = "duplicate" // it was here before
)

// FaultCode says whose fault a refusal is (SOAP 1.2 part 1, section 5.4.6).
type FaultCode string

// The codes the endpoint uses.
const (
	FaultSender   FaultCode = "Sender"   // the document must be changed before it is sent again
	FaultReceiver FaultCode = "Receiver" // it may be sent again as it is
)

// AppendAck writes the endpoint's answer to a message it has taken: an envelope that repeats the message ID, and a block
// of type .../callhome/ack with the result.
func AppendAck(dst []byte, id callhome.MessageID, result Result) []byte {
	e := encoder{dst: dst}
	e.raw(declaration + `<soap-env:Envelope xmlns:soap-env="` + nsSOAP + `">` + "\n<soap-env:Header>\n")
	e.raw(`<aml-session:Session xmlns:aml-session="` + nsSession + `">` + "\n")
	e.leaf("aml-session:MessageId", string(id))
	e.raw("</aml-session:Session>\n</soap-env:Header>\n<soap-env:Body>\n")
	e.raw(`<aml-block:Block xmlns:aml-block="` + nsBlock + `">` + "\n<aml-block:Header>\n")
	e.leaf("aml-block:Type", nsCH+"/"+typeAck)
	e.raw("</aml-block:Header>\n<aml-block:Content>\n")
	e.leaf("aml-block:Result", string(result))
	e.raw("</aml-block:Content>\n</aml-block:Block>\n</soap-env:Body>\n</soap-env:Envelope>\n")
	return e.dst
}

// AppendFault writes the endpoint's refusal: a SOAP fault with a reason for people.
func AppendFault(dst []byte, code FaultCode, reason string) []byte {
	e := encoder{dst: dst}
	e.raw(declaration + `<soap-env:Envelope xmlns:soap-env="` + nsSOAP + `">` + "\n<soap-env:Body>\n<soap-env:Fault>\n")
	e.raw("<soap-env:Code>\n")
	e.leaf("soap-env:Value", "soap-env:"+string(code))
	e.raw("</soap-env:Code>\n<soap-env:Reason>\n" + `<soap-env:Text xml:lang="en">`)
	e.dst = appendText(e.dst, reason, false)
	e.raw("</soap-env:Text>\n</soap-env:Reason>\n</soap-env:Fault>\n</soap-env:Body>\n</soap-env:Envelope>\n")
	return e.dst
}

// Ack is what an endpoint answered. An answer of which nothing is understood leaves all fields empty: what counts is the
// status of the transport.
type Ack struct {
	MessageID callhome.MessageID
	Result    Result
	Fault     FaultCode // Sender or Receiver; empty when it was no fault
	Reason    string    // of a fault
}

// maxAnswer bounds an answer; those that are known have less than 1 KiB.
const maxAnswer = 1 << 20

// maxReason bounds what is kept of a fault's reason: it goes into logs.
const maxReason = 1 << 10

// ParseAck reads an answer. An empty one is valid. The error is of kind invalid: the answer is not XML.
func ParseAck(b []byte) (Ack, error) {
	var a Ack
	if len(b) > maxAnswer {
		return a, callhome.Errorf(callhome.KindInvalid, "the answer has %d bytes, more than the limit of %d", len(b), maxAnswer)
	}
	src := strings.TrimPrefix(string(b), "\uFEFF")
	var s scanner
	s.reset(src, false, false)
	var value strings.Builder
	for {
		tok, f := s.next()
		if f != nil {
			return Ack{}, located(src, f)
		}
		switch tok {
		case tokenStart:
			value.Reset()
		case tokenText:
			if len(s.open) == 0 && !isBlank(s.text) {
				return Ack{}, located(src, soft(s.at, "the answer is not XML"))
			}
			value.WriteString(s.text)
		case tokenEnd:
			a.set(localName(s.open[:len(s.open)+1][len(s.open)]), trim(value.String()))
			value.Reset()
		case tokenEOF:
			return a, nil
		}
	}
}

// set takes a leaf of an answer, of SOAP 1.2 or 1.1.
func (a *Ack) set(local, value string) {
	switch local {
	case "MessageId":
		a.MessageID = callhome.MessageID(value)
	case "Result":
		a.Result = Result(strings.ToLower(value))
	case "Value", "faultcode":
		if a.Fault == "" {
			a.Fault = faultCode(localName(value))
		}
	case "Text", "faultstring":
		a.Reason = strings.ToValidUTF8(value[:min(len(value), maxReason)], "")
	}
}

func faultCode(word string) FaultCode {
	switch word {
	case "Client":
		return FaultSender
	case "Server":
		return FaultReceiver
	}
	return FaultCode(word)
}
