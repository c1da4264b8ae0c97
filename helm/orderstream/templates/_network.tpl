{{/* Takes root, name and servers (of kafka, redis, dynamodb). Returns a policy's spec: those and DNS are reached. */}}
{{- define "orderstream.reaches" -}}
podSelector:
  matchLabels:
    {{- include "orderstream.selector" . | nindent 4 }}
policyTypes: [Egress]
egress:
  - to:
      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
    ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
  {{- range .servers }}
  {{- $server := get $.root.Values.network . }}
  - ports:
      {{- range $server.ports }}
      - {protocol: TCP, port: {{ . }}}
      {{- end }}
    {{- with $server.peers }}
    to:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- end }}
{{- end }}
