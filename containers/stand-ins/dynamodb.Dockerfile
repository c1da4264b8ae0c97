FROM localhost/orderstream-stand-in
COPY jre /opt/java
RUN useradd --uid 1000 --create-home --home-dir /home/dynamodblocal dynamodblocal
WORKDIR /home/dynamodblocal
COPY jars DynamoDBLocal_lib
COPY DynamoDBLocal.jar .
ENV PATH=/opt/java/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER dynamodblocal
EXPOSE 8000
ENTRYPOINT ["java"]
CMD ["-jar", "DynamoDBLocal.jar", "-inMemory"]
