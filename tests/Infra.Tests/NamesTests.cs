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

    /// <summary>What is made in another region while the first one is away cannot have the names that are all of Azure's.</summary>
    [Fact]
    public async Task AnotherEnvironment_SharesNoNameThatIsUniqueInAzure()
    {
        string[] types = ["Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.AppConfiguration/configurationStores", "Microsoft.Web/sites", "Microsoft.Resources/resourceGroups"];
        var (one, other) = (await Plan.OfAsync(Plan.Development), await Plan.OfAsync(Plan.Development, text => text.Replace("environmentName = 'dev'", "environmentName = 'dev2'", StringComparison.Ordinal)));

        foreach (var type in types)
        {
            one.All(type).ShouldNotBeEmpty(type);
            one.All(type).Select(resource => resource.Name).Intersect(other.All(type).Select(resource => resource.Name)).ShouldBeEmpty(type);
        }
    }
}
