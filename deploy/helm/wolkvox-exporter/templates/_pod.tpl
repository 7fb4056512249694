{{/* How the kubelet probes. Without a client certificate it can only check that the port is open. */}}
{{- define "wolkvox.probe" -}}
{{- if .values.web.clientCertificates -}}
tcpSocket:
  port: metrics
{{- else -}}
httpGet:
  path: {{ .path }}
  port: metrics
  scheme: {{ ternary "HTTPS" "HTTP" .values.web.tls }}
{{- end }}
{{- end }}

{{/* The sources of the token volume: a file per operation, named after it. */}}
{{- define "wolkvox.tokens" -}}
{{- range .Values.operations }}
{{- $secret := default dict .tokenSecret }}
- secret:
    name: {{ default $.Values.tokens.existingSecret $secret.name }}
    items: [{key: {{ default .name $secret.key | quote }}, path: {{ .name | quote }}}]
{{- else }}
{{- with .Values.tokens.existingSecret }}
- secret:
    name: {{ . }}
{{- end }}
{{- end }}
{{- end }}
