namespace Infra.Tests;

/// <summary>azd lets an environment be called anything; Azure is stricter with some of what is made for it.</summary>
public class NamesTests
{
    [Fact]
    public async Task EnvironmentWithCapitals_HasStorageAccountsThatAzureTakes()
    {
        var plan = await Plan.OfAsync(Plan.Development, text => text.Replace("environmentName = 'dev'", "environmentName = 'Dev-EU'", StringComparison.Ordinal));

        var accounts = plan.All("Microsoft.Storage/storageAccounts").Select(account => account.Name).ToList();
        accounts.ShouldContain(name => name.StartsWith("strbdeveu", StringComparison.Ordinal));
        accounts.ShouldAllBe(name => name.Length <= 24 && name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character)));
    }
}
