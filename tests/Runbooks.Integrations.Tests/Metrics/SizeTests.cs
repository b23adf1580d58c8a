using Runbooks.Integrations.Metrics;

namespace Runbooks.Integrations.Tests.Metrics;

public sealed class SizeTests
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1, "1 byte")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1024 * 1024 - 1, "1 MiB")]
    [InlineData(28_862_179_737, "26.9 GiB")]
    [InlineData(long.MaxValue, "8192 PiB")]
    public void Bytes_AreReadInTheUnitThatSuitsThem(long bytes, string words) => Size.FormatBytes(bytes).ShouldBe(words);
}
