{{/*
What each process is told: by its name, the settings that infra/process/settings.py and the classes that extend it have.
Takes root and name. Returns a YAML map of variables and values.
*/}}
{{- define "orderstream.told" -}}
{{- $values := .root.Values -}}
ORDERSTREAM_ENV: {{ $values.environment }}
ORDERSTREAM_LOG_LEVEL: {{ $values.logLevel }}
ORDERSTREAM_KAFKA: {{ include "orderstream.kafka" .root | quote }}
ORDERSTREAM_HOST: 0.0.0.0
ORDERSTREAM_ADMIN_PORT: "9464"
ORDERSTREAM_PARTITION_COUNT: {{ $values.partitions | quote }}
{{- if eq .name "market" }}
ORDERSTREAM_MARKET_SEED: {{ $values.market.seed | quote }}
{{- end }}
{{- with get $values.services .name }}
ORDERSTREAM_PARTITIONS: $(POD_INDEX)/{{ .owners }}
ORDERSTREAM_WRITE_VERSIONS: {{ .writeVersions | toJson | quote }}
{{- end }}
{{- if has .name (list "projector-live" "gateway") }}
ORDERSTREAM_REDIS: {{ include "orderstream.redis" (dict "root" .root "given" $values.redis.live "database" 0) | quote }}
{{- end }}
{{- if has .name (list "projector-history" "gateway" "provision") }}
ORDERSTREAM_DYNAMODB: {{ include "orderstream.dynamodb" .root | quote }}
{{- end }}
{{- if eq .name "provision" }}
ORDERSTREAM_REPLICATION: {{ $values.kafka.replication | quote }}
{{- end }}
{{- if eq .name "gateway" }}
ORDERSTREAM_SESSIONS: {{ include "orderstream.redis" (dict "root" .root "given" $values.redis.sessions "database" 1) | quote }}
ORDERSTREAM_GATEWAY_PORT: "8080"
ORDERSTREAM_RUN_DIR: /var/lib/orderstream
ORDERSTREAM_CURSOR_KEY: ""
ORDERSTREAM_RATES: {{ $values.gateway.rates | toJson | quote }}
ORDERSTREAM_TRUSTED_PROXIES: {{ $values.gateway.trustedProxies | toJson | quote }}
ORDERSTREAM_ORIGINS: {{ $values.gateway.origins | toJson | quote }}
{{- $service := printf "%s-gateway" (include "orderstream.name" .root) }}
{{- $inside := list $service (printf "%s.%s" $service .root.Release.Namespace) (printf "%s.%s.svc" $service .root.Release.Namespace) }}
ORDERSTREAM_HOSTS: {{ concat $values.gateway.hosts $inside (compact (list $values.gateway.ingress.host)) | toJson | quote }}
ORDERSTREAM_DOCS: {{ $values.gateway.docs | quote }}
ORDERSTREAM_ADMIN: {{ $values.gateway.admin | quote }}
{{- range $role, $cents := $values.gateway.dailyLimits }}
ORDERSTREAM_{{ upper $role }}_DAILY_DEPOSIT: {{ int64 $cents.deposit | quote }}
ORDERSTREAM_{{ upper $role }}_DAILY_WITHDRAWAL: {{ int64 $cents.withdrawal | quote }}
{{- end }}
{{- range $role, $cents := $values.gateway.orderLimits }}
ORDERSTREAM_{{ upper $role }}_ORDER_LIMIT: {{ int64 $cents | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes root and name. Returns, with commas, the keys of the secret that this process has as files. */}}
{{- define "orderstream.files" -}}
{{- $told := include "orderstream.told" . | fromYaml -}}
{{- $files := list -}}
{{- range .root.Values.secrets.keys -}}
{{- if hasKey $told (upper .) }}{{ $files = append $files . }}{{ end -}}
{{- end -}}
{{- join "," $files -}}
{{- end }}

{{/* Takes root and name. Returns the environment: what is told, but for what is a file. */}}
{{- define "orderstream.env" -}}
{{- $files := splitList "," (include "orderstream.files" .) -}}
{{- if hasKey .root.Values.services .name }}
- name: POD_INDEX
  valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}
{{- end }}
{{- range $name, $value := include "orderstream.told" . | fromYaml }}
{{- if not (has (lower $name) $files) }}
{{- if empty $value }}
{{- fail (printf "%s has no value: set it, or name %s in secrets.keys" $name (lower $name)) }}
{{- end }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}
