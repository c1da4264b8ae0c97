FROM localhost/orderstream-stand-in
COPY jre /opt/java
COPY jars /opt/kafka/libs
COPY run log4j2.yaml tools-log4j2.yaml server.properties /etc/kafka/docker/
RUN useradd --uid 1000 --home-dir /home/appuser appuser && \
    mkdir -p /var/lib/kafka/data /mnt/shared/config /opt/kafka/config && \
    chown -R appuser:root /var/lib/kafka /mnt/shared/config /opt/kafka/config
ENV PATH=/opt/java/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER appuser
VOLUME ["/var/lib/kafka/data"]
CMD ["/etc/kafka/docker/run"]
