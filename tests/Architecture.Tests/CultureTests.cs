using System.Globalization;

namespace Architecture.Tests;

/// <summary>Numbers and dates are put into texts without a culture, so every program has to run without one.</summary>
public sealed class CultureTests
{
    [Fact]
    public void EveryProgram_KnowsOnlyTheInvariantCulture() =>
        Should.Throw<CultureNotFoundException>(() => CultureInfo.GetCultureInfo("de-DE"));
}
