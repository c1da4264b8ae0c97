{{/* What things are called, and what marks them. */}}
{{- define "orderstream.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Takes root and name. */}}
{{- define "orderstream.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "orderstream.labels" -}}
{{ include "orderstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Returns, with commas, the processes that stay: all but the one that provisions. */}}
{{- define "orderstream.processes" -}}
{{- $names := concat (list "market") (keys .Values.services | sortAlpha) (list "gateway") -}}
{{- range keys .Values.projectors | sortAlpha }}{{ $names = append $names (printf "projector-%s" .) }}{{ end -}}
{{- join "," $names -}}
{{- end }}

{{/* Takes root and name. Returns the metadata of what belongs to that part. */}}
{{- define "orderstream.metadata" -}}
name: {{ include "orderstream.name" .root }}-{{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "orderstream.labels" . | nindent 2 }}
{{- end }}

{{- define "orderstream.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "orderstream.kafka" -}}
{{- if .Values.strimzi.enabled }}{{ include "orderstream.name" . }}-kafka-bootstrap:9092{{ else }}{{ .Values.kafka.bootstrap }}{{ end -}}
{{- end }}

{{/* Takes root, store (valkey or dynamodb) and given. Returns the URL: of the chart's own store, if it has one. */}}
{{- define "orderstream.redis" -}}
{{- if .root.Values.stores.enabled }}redis://{{ include "orderstream.name" .root }}-valkey:6379/{{ .database }}{{ else }}{{ .given }}{{ end -}}
{{- end }}

{{- define "orderstream.dynamodb" -}}
{{- if .Values.stores.enabled }}http://{{ include "orderstream.name" . }}-dynamodb:8000{{ else }}{{ .Values.dynamodb.url }}{{ end -}}
{{- end }}
