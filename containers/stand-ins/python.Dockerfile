FROM localhost/orderstream-stand-in
COPY local /usr/local
RUN ldconfig
CMD ["python3"]
