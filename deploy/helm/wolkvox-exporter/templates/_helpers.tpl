{{- define "wolkvox.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 40 characters: names of pods, claims and the headless service are longer and are used as labels. */}}
{{- define "wolkvox.fullname" -}}
{{- $name := include "wolkvox.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "wolkvox.headless" -}}
{{ include "wolkvox.fullname" . }}-shards
{{- end }}

{{- define "wolkvox.serviceAccountName" -}}
{{- default (ternary (include "wolkvox.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "wolkvox.selectorLabels" -}}
app.kubernetes.io/name: {{ include "wolkvox.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wolkvox.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "wolkvox.selectorLabels" . }}
{{- end }}

{{- define "wolkvox.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* Whether the chart writes wolkvox.yml itself. */}}
{{- define "wolkvox.ownConfig" -}}
{{- if not (or .Values.existingConfig.configMap .Values.existingConfig.secret) }}true{{ end }}
{{- end }}

{{/* wolkvox.yml: each operation as in the values, except for its token. */}}
{{- define "wolkvox.config" -}}
{{- $operations := list -}}
{{- range .Values.operations -}}
{{- $operations = append $operations (set (omit . "tokenSecret") "token_file" (printf "/etc/wolkvox_exporter/tokens/%s" .name)) -}}
{{- end -}}
{{- toYaml (set (deepCopy .Values.config) "operations" $operations) -}}
{{- end }}

{{/* Refuses what the pods cannot start with, and what would make two of them use one token. */}}
{{- define "wolkvox.check" -}}
{{- if include "wolkvox.ownConfig" . -}}
{{- if not .Values.operations -}}
{{- fail "operations: there are none. Give at least one, or a whole wolkvox.yml with existingConfig" -}}
{{- end -}}
{{- if contains "@" (default "" (default dict .Values.config.defaults).proxy) -}}
{{- fail "config.defaults: the address of the proxy has a user or password in it, and would go into a ConfigMap. Put wolkvox.yml into a Secret and name that with existingConfig.secret" -}}
{{- end -}}
{{- $seen := dict -}}
{{- $tokens := dict -}}
{{- range .Values.operations -}}
{{- if hasKey $seen .name -}}
{{- fail (printf "operations: two are named %s. A name is the label `operation` and the name of the state: give them different ones" .name) -}}
{{- end -}}
{{- $_ := set $seen .name true -}}
{{- if not (or .tokenSecret $.Values.tokens.existingSecret) -}}
{{- fail (printf "operations: %s has no token. Put it into a Secret, and name that with tokens.existingSecret or with the operation's tokenSecret" .name) -}}
{{- end -}}
{{- /* Not in the schema: its messages repeat the value. */ -}}
{{- if contains "@" (printf "%s%s%s" (default "" .proxy) (default "" .url) (default "" .server)) -}}
{{- fail (printf "operations: an address of %s has a user or password in it, and would go into a ConfigMap. Put wolkvox.yml into a Secret and name that with existingConfig.secret" .name) -}}
{{- end -}}
{{- $secret := default dict .tokenSecret -}}
{{- $token := printf "the key %s of the Secret %s" (default .name $secret.key) (default $.Values.tokens.existingSecret $secret.name) -}}
{{- with get $tokens $token -}}
{{- fail (printf "operations: %s is the token of two operations. Wolkvox takes one request at a time per token" $token) -}}
{{- end -}}
{{- $_ := set $tokens $token true -}}
{{- end -}}
{{- else -}}
{{- if and .Values.existingConfig.configMap .Values.existingConfig.secret -}}
{{- fail "existingConfig: configMap and secret exclude each other: keep one of them" -}}
{{- end -}}
{{- if .Values.operations -}}
{{- fail "operations and existingConfig exclude each other: keep one of them" -}}
{{- end -}}
{{- end -}}
{{- if and (or .Values.web.certificateSecret .Values.web.tls .Values.web.clientCertificates) (not .Values.web.existingSecret) -}}
{{- fail "web: certificateSecret, tls and clientCertificates need existingSecret, with the web.yml that says so" -}}
{{- end -}}
{{- if and .Values.web.clientCertificates (not .Values.web.tls) -}}
{{- fail "web: clientCertificates needs tls: true" -}}
{{- end -}}
{{- include "wolkvox.checkShards" . -}}
{{- end }}

{{/* A rolling update that changes the number of shards would have pods of the old and the new number side by side, each polling the
operations that move. `lookup` finds nothing in `helm template` and in most GitOps tools: there only the documentation guards. */}}
{{- define "wolkvox.checkShards" -}}
{{- $name := include "wolkvox.fullname" . -}}
{{- $there := lookup "apps/v1" "StatefulSet" .Release.Namespace $name -}}
{{- if and $there (not .Values.paused) -}}
{{- $wanted := int (dig "spec" "replicas" 1 $there) -}}
{{- $running := int (dig "status" "replicas" 0 $there) -}}
{{- $shards := dig "metadata" "annotations" "wolkvox-exporter/shards" "" $there -}}
{{- if and (ne $shards (toString .Values.shards)) (or $wanted $running) -}}
{{- fail (printf "shards: %s runs with %s shards, and %d are asked for. Pods of both would use the same tokens at once, and state has to move between them: first upgrade with paused=true and the shards as they are, wait until no pod is left, move the state (docs/kubernetes.md), then upgrade with shards=%d and paused=false" $name (default "an unknown number of" $shards) (int .Values.shards) (int .Values.shards)) -}}
{{- end -}}
{{- if and (eq $wanted 0) $running -}}
{{- fail (printf "paused: %d pods of %s are still ending. Wait until none is left: kubectl --namespace %s get pods" $running $name .Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end }}
