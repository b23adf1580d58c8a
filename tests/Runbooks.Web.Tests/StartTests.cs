using Microsoft.Extensions.Options;

namespace Runbooks.Web.Tests;

/// <summary>A host whose links could be forged does not start.</summary>
public sealed class StartTests
{
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
