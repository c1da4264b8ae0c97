{{/* Takes root and name. Returns, with commas, the servers that the process is told of. */}}
{{- define "orderstream.servers" -}}
{{- $told := include "orderstream.told" . | fromYaml -}}
{{- $servers := list -}}
{{- range list "kafka" "redis" "dynamodb" -}}
{{- if hasKey $told (printf "ORDERSTREAM_%s" (upper .)) }}{{ $servers = append $servers . }}{{ end -}}
{{- end -}}
{{- join "," $servers -}}
{{- end }}

{{/* Takes root and name. Returns a policy's spec: DNS is reached, and the servers that the process is told of. */}}
{{- define "orderstream.reaches" -}}
podSelector:
  matchLabels:
    {{- include "orderstream.selector" . | nindent 4 }}
policyTypes: [Egress]
egress:
  - ports:
      {{- range .root.Values.network.dns.ports }}
      - {protocol: UDP, port: {{ . }}}
      - {protocol: TCP, port: {{ . }}}
      {{- end }}
    to:
      {{- toYaml .root.Values.network.dns.peers | nindent 6 }}
  {{- range splitList "," (include "orderstream.servers" .) }}
  {{- $server := include "orderstream.server" (dict "root" $.root "server" .) | fromYaml }}
  - ports:
      {{- range $server.ports }}
      - {protocol: TCP, port: {{ . }}}
      {{- end }}
    to:
      {{- toYaml $server.peers | nindent 6 }}
  {{- end }}
{{- end }}

{{/* Takes root and server (kafka, redis or dynamodb). Returns who it is for a policy, as YAML: ports and peers. */}}
{{- define "orderstream.server" -}}
{{- $values := .root.Values -}}
{{- if and (eq .server "kafka") $values.strimzi.enabled -}}
ports: [9092]
peers: [{podSelector: {matchLabels: {strimzi.io/cluster: {{ include "orderstream.name" .root }}, strimzi.io/kind: Kafka}}}]
{{- else if and (ne .server "kafka") $values.stores.enabled -}}
{{- $store := ternary "valkey" "dynamodb" (eq .server "redis") -}}
ports: [{{ ternary 6379 8000 (eq .server "redis") }}]
peers:
  - podSelector:
      matchLabels:
        {{- include "orderstream.selector" (dict "root" .root "name" $store) | nindent 8 }}
{{- else -}}
{{- $given := get $values.network .server -}}
{{- if not $given.peers }}{{ fail (printf "network.%s.peers names nobody: say where it is, or network.enabled=false" .server) }}{{ end -}}
{{ toYaml $given }}
{{- end -}}
{{- end }}
