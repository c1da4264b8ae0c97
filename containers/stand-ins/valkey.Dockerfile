FROM localhost/orderstream-stand-in
COPY valkey-server /usr/local/bin/valkey-server
RUN ln -s /usr/bin/redis-cli /usr/local/bin/valkey-cli && \
    useradd --system --uid 999 valkey && mkdir /data && chown valkey /data
VOLUME ["/data"]
WORKDIR /data
EXPOSE 6379
CMD ["valkey-server"]
