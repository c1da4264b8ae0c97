{{/* The pod of a process. Takes root, name, resources; admin: whether it has an admin server; args, if not those that run it. */}}
{{- define "orderstream.pod" -}}
{{- $values := .root.Values -}}
{{- $name := include "orderstream.name" .root -}}
{{- $files := include "orderstream.files" . -}}
{{- $secret := ternary (printf "%s-secrets" $name) $values.secrets.existing $values.secrets.create -}}
{{- $keys := ternary (printf "%s-signing-keys" $name) $values.secrets.signingKeys $values.secrets.create -}}
metadata:
  labels:
    {{- include "orderstream.labels" . | nindent 4 }}
  {{- with merge (dict) $values.podAnnotations (ternary (dict "prometheus.io/scrape" "true" "prometheus.io/port" "9464" "prometheus.io/path" "/metrics") (dict) .admin) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ $name }}-{{ .name }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30  # a process drains within 8 s
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .admin }}
  topologySpreadConstraints:
    {{- range $values.spread }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "orderstream.selector" $ | nindent 10 }}
    {{- end }}
  {{- else }}
  restartPolicy: Never
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "orderstream.image" .root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: {{ .args | default (list "run" .name) | toJson }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      env:
        {{- include "orderstream.env" . | nindent 8 }}
      {{- if .admin }}
      ports:
        - {name: admin, containerPort: 9464}
        {{- if eq .name "gateway" }}
        - {name: http, containerPort: 8080}
        {{- end }}
      {{- if eq .name "gateway" }}
      # Until every node knows that nobody shall come here any more.
      lifecycle: {preStop: {sleep: {seconds: 5}}}
      {{- end }}
      # It answers while it restores, which may take minutes; it is ready only then.
      startupProbe:
        httpGet: {path: /health, port: admin}
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /health, port: admin}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /health/ready, port: admin}
        periodSeconds: 2
        timeoutSeconds: 2
      {{- end }}
      resources:
        {{- toYaml .resources | nindent 8 }}
      {{- if or $files (eq .name "gateway") }}
      volumeMounts:
        {{- if $files }}
        - {name: secrets, mountPath: /run/secrets/orderstream, readOnly: true}
        {{- end }}
        {{- if eq .name "gateway" }}
        - {name: signing-keys, mountPath: /var/lib/orderstream/keys, readOnly: true}
        {{- end }}
      {{- end }}
  {{- if or $files (eq .name "gateway") }}
  volumes:
    {{- if $files }}
    - name: secrets
      secret:
        secretName: {{ required "secrets.existing must name a Secret, or secrets.create make one" $secret }}
        defaultMode: 0440
        items:
          {{- range splitList "," $files }}
          - {key: {{ . }}, path: {{ . }}}
          {{- end }}
    {{- end }}
    {{- if eq .name "gateway" }}
    - name: signing-keys
      secret:
        secretName: {{ required "secrets.signingKeys must name a Secret, or secrets.create make one" $keys }}
        defaultMode: 0440
    {{- end }}
  {{- end }}
{{- end }}
