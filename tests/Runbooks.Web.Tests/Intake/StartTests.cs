using Microsoft.Extensions.Options;

namespace Runbooks.Web.Tests.Intake;

public sealed class StartTests
{
    [Fact]
    public async Task DataProtectionThatNothingUses_StoresNoKeyAndWarnsOfNothing()
    {
        await using var host = new WebHost();
        await host.InitializeAsync();

        host.Logged.ShouldContain(line => line.StartsWith("Creating key", StringComparison.Ordinal));
        host.Logged.ShouldNotContain(line => line.Contains("No XML encryptor", StringComparison.Ordinal) || line.StartsWith("Writing data to file", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("LinkSigning:Keys:0:Secret", "c2hvcnQ=", "at least 32 random bytes")]
    [InlineData("LinkSigning:Keys:0:Secret", "", "at least 32 random bytes")]
    [InlineData("LinkSigning:Keys:1:Secret", "c2hvcnQ=", "at least 32 random bytes")]
    public async Task KeyThatIsTooShort_StopsTheStart(string setting, string value, string words)
    {
        var host = new WebHost { Settings = { [setting] = value } };

        (await Should.ThrowAsync<OptionsValidationException>(() => host.InitializeAsync().AsTask())).Message.ShouldContain(words);
    }
}
