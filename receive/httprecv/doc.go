// Package httprecv listens for posted messages on the device endpoint and answers in its terms: a SOAP acknowledgement
// when the sink has taken a message durably, a SOAP fault or a plain status when not. It owns the listeners, their limits
// and the check that a body is XML at all; it reads no message.
//
// Paths: /its/service/oddce/services/DDCEService, /neddce/services/DDCEService, and in any case of letters
// /Transportgateway/services/DeviceRequestHandler. No answer is ever a redirect: devices do not follow one.
package httprecv
