namespace TestKit.Storage;

/// <summary>Gives some bytes, then breaks, as a log stream does when its pod goes away.</summary>
internal sealed class BreakingStream : Stream
{
    private bool _given;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => 0; set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (_given)
        {
            throw new InvalidDataException("The connection was reset.");
        }

        _given = true;
        Array.Fill(buffer, (byte)'y', offset, Math.Min(count, 1_000));
        return Math.Min(count, 1_000);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
