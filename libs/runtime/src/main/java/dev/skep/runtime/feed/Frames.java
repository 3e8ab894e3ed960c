package dev.skep.runtime.feed;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.MessageToByteEncoder;
import io.netty.handler.codec.MessageToMessageDecoder;
import java.io.IOException;
import java.util.List;

/** Four bytes of length, then a protobuf message. */
final class Frames {
  /** Room for a complete feed of some hundred thousand endpoints. */
  private static final int LIMIT = 128 << 20;

  private Frames() {}

  static void install(ChannelPipeline pipeline, Parser<? extends Message> incoming, ChannelHandler handler) {
    pipeline
        .addLast(new LengthFieldBasedFrameDecoder(LIMIT, 0, 4, 0, 4))
        .addLast(new Decoder(incoming))
        .addLast(new Encoder())
        .addLast(handler);
  }

  private static final class Decoder extends MessageToMessageDecoder<ByteBuf> {
    private final Parser<? extends Message> parser;

    Decoder(Parser<? extends Message> parser) {
      super(ByteBuf.class);
      this.parser = parser;
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf frame, List<Object> out) throws IOException {
      out.add(parser.parseFrom(new ByteBufInputStream(frame)));
    }
  }

  private static final class Encoder extends MessageToByteEncoder<Message> {
    Encoder() {
      super(Message.class);
    }

    @Override
    protected void encode(ChannelHandlerContext context, Message message, ByteBuf out) throws IOException {
      int size = message.getSerializedSize();
      out.ensureWritable(4 + size).writeInt(size);
      CodedOutputStream coded = CodedOutputStream.newInstance(new ByteBufOutputStream(out));
      message.writeTo(coded);
      coded.flush();
    }
  }
}
