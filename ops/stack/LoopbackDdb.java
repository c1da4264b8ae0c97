import java.lang.reflect.Field;
import org.eclipse.jetty.server.*;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/** DynamoDB Local has no bind option: start it as ServerRunner does, but on 127.0.0.1 only. */
public class LoopbackDdb {
    public static void main(String[] arguments) throws Exception {
        DynamoDBProxyServer proxy = ServerRunner.createServerFromCommandLineArgs(arguments);
        Field server = DynamoDBProxyServer.class.getDeclaredField("server");
        server.setAccessible(true);
        for (Connector connector : ((Server) server.get(proxy)).getConnectors())
            ((ServerConnector) connector).setHost("127.0.0.1");
        proxy.start();
        proxy.join();
    }
}
