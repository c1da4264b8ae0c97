import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The race's job on Kafka Streams, exactly once: a credit in, decided on the account's row, its event out.
 *
 * <p>The rows are in memory and in a changelog topic, which Streams makes; without its record cache, which costs
 * more than it saves here.
 */
public final class Race {
    record Credit(String id, String accountId, String correlationId, long amount) {}

    @JsonPropertyOrder({"type", "version"})
    record Credited(
            String type, int version, String id, String accountId, long occurredAt, long sequence,
            String causationId, String commandId, String correlationId, long amount, long balance) {}

    record Account(long balance, long sequence) {
        static final Account NONE = new Account(0, 0);

        byte[] encode() {
            return ByteBuffer.allocate(16).putLong(balance).putLong(sequence).array();
        }

        static Account decode(byte[] raw) {
            var read = ByteBuffer.wrap(raw);
            return new Account(read.getLong(), read.getLong());
        }
    }

    static final class Decider implements Processor<String, Credit, String, Credited> {
        private ProcessorContext<String, Credited> context;
        private KeyValueStore<String, Account> accounts;

        @Override
        public void init(ProcessorContext<String, Credited> context) {
            this.context = context;
            this.accounts = context.getStateStore("accounts");
        }

        @Override
        public void process(Record<String, Credit> given) {
            var command = given.value();
            var known = accounts.get(command.accountId());
            var row = known == null ? Account.NONE : known;
            var after = new Account(row.balance() + command.amount(), row.sequence() + 1);
            accounts.put(command.accountId(), after);
            context.forward(given.withValue(new Credited(
                    "credited", 1, randomId(), command.accountId(), given.timestamp(), after.sequence(),
                    command.id(), command.id(), command.correlationId(), command.amount(), after.balance())));
        }

        /** Returns an id that is cheaper than UUID.randomUUID's: nobody has to be unable to guess it. */
        private static String randomId() {
            var random = ThreadLocalRandom.current();
            return new UUID(random.nextLong(), random.nextLong()).toString();
        }
    }

    static Topology topology(String commands, String events) {
        var json = new ObjectMapper()
                .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        ObjectReader reader = json.readerFor(Credit.class);
        ObjectWriter writer = json.writerFor(Credited.class);
        Deserializer<Credit> read = (topic, raw) -> quietly(() -> reader.readValue(raw));
        Serializer<Credited> write = (topic, event) -> quietly(() -> writer.writeValueAsBytes(event));
        Serde<Account> rows = Serdes.serdeFrom(
                (topic, row) -> row.encode(), (topic, raw) -> raw == null ? null : Account.decode(raw));
        return new Topology()
                .addSource("commands", Serdes.String().deserializer(), read, commands)
                .addProcessor("decider", Decider::new, "commands")
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                Stores.inMemoryKeyValueStore("accounts"), Serdes.String(), rows),
                        "decider")
                .addSink("events", events, Serdes.String().serializer(), write, "decider");
    }

    interface Coding<T> {
        T run() throws IOException;
    }

    static <T> T quietly(Coding<T> coding) {
        try {
            return coding.run();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Arguments: bootstrap, topic of commands, topic of events, application id, state folder, commit ms. */
    public static void main(String[] arguments) {
        var settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[3]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments[5]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        var streams = new KafkaStreams(topology(arguments[1], arguments[2]), settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(30))));
        streams.start();
    }
}
